package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/wait"
)

// CheckRelease asks EKS which versions it creates clusters with, and which
// versions of each add-on go with one.
func (c *Cloud) CheckRelease(ctx context.Context, r cloud.Release) error {
	client := eks.NewFromConfig(c.in(cloud.Account{Region: r.Region}))
	versions, err := every(ctx, eks.NewDescribeClusterVersionsPaginator(client, &eks.DescribeClusterVersionsInput{}),
		func(p *eks.DescribeClusterVersionsOutput) []ekstypes.ClusterVersionInformation {
			return p.ClusterVersions
		})
	if err != nil {
		return err
	}
	var has []string
	for _, v := range versions {
		if v.VersionStatus != ekstypes.VersionStatusUnsupported {
			has = append(has, aws.ToString(v.ClusterVersion))
		}
	}
	if !slices.Contains(has, r.Kubernetes) {
		return &cloud.UnsupportedError{Asked: r.Kubernetes, Has: has}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Addons)) {
		has, err := addonVersions(ctx, client, name, r.Kubernetes)
		if err != nil {
			return err
		}
		if !slices.Contains(has, r.Addons[name]) {
			return &cloud.UnsupportedError{Addon: name, Asked: r.Addons[name], Has: has}
		}
	}
	return nil
}

// addonVersions are the versions of an add-on for a version of Kubernetes, the
// one that EKS itself would take first.
func addonVersions(ctx context.Context, client *eks.Client, name, kubernetes string) ([]string, error) {
	addons, err := every(ctx, eks.NewDescribeAddonVersionsPaginator(client, &eks.DescribeAddonVersionsInput{
		AddonName: aws.String(name), KubernetesVersion: aws.String(kubernetes),
	}), func(p *eks.DescribeAddonVersionsOutput) []ekstypes.AddonInfo { return p.Addons })
	if err != nil {
		return nil, fmt.Errorf("add-on %s: %w", name, err)
	}
	var has []string
	for _, addon := range addons {
		for _, v := range addon.AddonVersions {
			version := aws.ToString(v.AddonVersion)
			if slices.ContainsFunc(v.Compatibilities, func(c ekstypes.Compatibility) bool { return c.DefaultVersion }) {
				has = slices.Insert(has, 0, version)
				continue
			}
			has = append(has, version)
		}
	}
	return has, nil
}

// Running asks EKS for the versions of a cluster and of all its node groups.
func (c *Cloud) Running(ctx context.Context, a cloud.Account, cluster string) (cloud.Running, error) {
	running, err := c.running(ctx, a, cluster)
	if isCode(err, "ResourceNotFoundException") {
		err = fmt.Errorf("%w: %w", cloud.ErrNotFound, err)
	}
	if err != nil {
		return cloud.Running{}, fmt.Errorf("what cluster %s runs: %w", cluster, err)
	}
	return running, nil
}

func (c *Cloud) running(ctx context.Context, a cloud.Account, cluster string) (cloud.Running, error) {
	out := cloud.Running{NodeGroups: map[string]string{}}
	s, err := c.session(ctx, a)
	if err != nil {
		return out, err
	}
	is, err := s.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(cluster)})
	if err != nil {
		return out, called(err)
	}
	out.Kubernetes, out.Protected = aws.ToString(is.Cluster.Version), aws.ToBool(is.Cluster.DeletionProtection)
	out.Endpoint = aws.ToString(is.Cluster.Endpoint)
	if ca := is.Cluster.CertificateAuthority; ca != nil {
		out.CA = aws.ToString(ca.Data)
	}
	groups, err := every(ctx, eks.NewListNodegroupsPaginator(s.eks, &eks.ListNodegroupsInput{ClusterName: aws.String(cluster)}),
		func(p *eks.ListNodegroupsOutput) []string { return p.Nodegroups })
	if err != nil {
		return out, err
	}
	for _, name := range groups {
		group, err := s.eks.DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: aws.String(cluster), NodegroupName: aws.String(name)})
		if isCode(err, "ResourceNotFoundException") {
			continue // since the list was read
		}
		if err != nil {
			return out, called(err)
		}
		out.NodeGroups[name] = aws.ToString(group.Nodegroup.Version)
	}
	return out, nil
}

// An update of a cluster is looked at so often, and waited for so long: one of
// somebody else's, such as a new version of Kubernetes, must end first.
const (
	protectionEvery  = 2 * time.Second
	protectionWithin = 40 * time.Minute
)

// ProtectCluster sets EKS deletion protection and waits until it is set. It
// writes nothing where it is set as told already.
func (c *Cloud) ProtectCluster(ctx context.Context, cl cloud.Cluster, on bool) error {
	cfg, err := c.enter(ctx, cl.Account)
	if err != nil {
		return fmt.Errorf("protect cluster %s: %w", cl.Name, err)
	}
	client, asked := eks.NewFromConfig(cfg), false
	err = wait.Until(ctx, wait.For{
		What: fmt.Sprintf("deletion protection of cluster %s to be %t", cl.Name, on), Every: protectionEvery, Within: protectionWithin, Now: c.o.Now,
	}, func(ctx context.Context) (bool, error) {
		is, err := protected(ctx, client, cl.Name)
		if err != nil || is == on || asked {
			return is == on, err
		}
		_, err = client.UpdateClusterConfig(ctx, &eks.UpdateClusterConfigInput{Name: aws.String(cl.Name), DeletionProtection: aws.Bool(on)})
		switch {
		case isCode(err, "ResourceInUseException"): // another update is under way: ask again after it
			return false, wait.NotYet(err)
		case err != nil:
			return false, fmt.Errorf("eks:UpdateClusterConfig: %w", err)
		}
		asked = true
		is, err = protected(ctx, client, cl.Name)
		return is == on, err
	})
	if err != nil {
		return fmt.Errorf("protect cluster %s: %w", cl.Name, err)
	}
	return nil
}

// NodeGroup reads the size of a node group.
func (c *Cloud) NodeGroup(ctx context.Context, in cloud.Account, cluster, name string) (cloud.NodeGroup, error) {
	cfg, err := c.enter(ctx, in)
	if err != nil {
		return cloud.NodeGroup{}, fmt.Errorf("node group %s: %w", name, err)
	}
	out, err := eks.NewFromConfig(cfg).DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: aws.String(cluster), NodegroupName: aws.String(name)})
	switch {
	case isCode(err, "ResourceNotFoundException"):
		return cloud.NodeGroup{}, fmt.Errorf("node group %s: %w: %w", name, cloud.ErrNotFound, err)
	case err != nil:
		return cloud.NodeGroup{}, fmt.Errorf("node group %s: eks:DescribeNodegroup: %w", name, err)
	case out.Nodegroup == nil || out.Nodegroup.ScalingConfig == nil:
		return cloud.NodeGroup{}, fmt.Errorf("node group %s: eks:DescribeNodegroup does not say its size", name)
	}
	scaling := out.Nodegroup.ScalingConfig
	return cloud.NodeGroup{
		Name: name, Min: int(aws.ToInt32(scaling.MinSize)), Max: int(aws.ToInt32(scaling.MaxSize)), Size: int(aws.ToInt32(scaling.DesiredSize)),
	}, nil
}

// protected reports whether a cluster has deletion protection.
func protected(ctx context.Context, client *eks.Client, cluster string) (bool, error) {
	out, err := client.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(cluster)})
	switch {
	case isCode(err, "ResourceNotFoundException"):
		return false, fmt.Errorf("%w: %w", cloud.ErrNotFound, err)
	case err != nil:
		return false, fmt.Errorf("eks:DescribeCluster: %w", err)
	}
	return aws.ToBool(out.Cluster.DeletionProtection), nil
}

// Kubeconfig returns a kubeconfig that reaches the cluster as a role of the
// org's account. It names this program as its credential plugin, because the
// AWS CLI's "eks get-token" cannot give the external id that the role asks for.
func (c *Cloud) Kubeconfig(_ context.Context, cl cloud.Cluster, roleARN string) ([]byte, error) {
	ca, err := base64.StdEncoding.DecodeString(cl.CA)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: its certificate authority: %w", cl.Name, err)
	}
	if cl.Endpoint == "" {
		return nil, fmt.Errorf("kubeconfig of %s: the cluster has no endpoint yet", cl.Name)
	}
	args := []string{"eks-token", "--region", cl.Account.Region, "--cluster", cl.Name, "--role-arn", roleARN}
	if cl.Account.ExternalID != "" {
		args = append(args, "--external-id", cl.Account.ExternalID)
	}
	var env []api.ExecEnvVar
	for _, variable := range slices.Sorted(maps.Keys(c.o.Env)) {
		env = append(env, api.ExecEnvVar{Name: variable, Value: c.o.Env[variable]})
	}
	out := api.NewConfig()
	out.Clusters[cl.Name] = &api.Cluster{Server: cl.Endpoint, CertificateAuthorityData: ca}
	out.AuthInfos[cl.Name] = &api.AuthInfo{Exec: &api.ExecConfig{
		APIVersion: clientauthv1.SchemeGroupVersion.String(), Command: c.o.Executable, Args: args, Env: env,
		InteractiveMode: api.NeverExecInteractiveMode,
	}}
	out.Contexts[cl.Name] = &api.Context{Cluster: cl.Name, AuthInfo: cl.Name}
	out.CurrentContext = cl.Name
	text, err := clientcmd.Write(*out)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", cl.Name, err)
	}
	return text, nil
}

// What EKS takes as a bearer token: a presigned request to STS that says who
// sent it, bound to one cluster by a signed header. EKS honours it for 15
// minutes, whatever the signature says.
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
const (
	tokenPrefix        = "k8s-aws-v1."
	clusterHeader      = "x-k8s-aws-id"
	tokenLasts         = 14 * time.Minute
	presignedForHeader = "X-Amz-Expires"
	presignedFor       = "60"
)

// Token returns an ExecCredential for a cluster, as a role; the role is assumed
// by the process's own credentials.
func (c *Cloud) Token(ctx context.Context, cluster, region, roleARN, externalID string) ([]byte, error) {
	cfg := c.in(cloud.Account{Region: region, RoleARN: roleARN, ExternalID: externalID})
	signer := sts.NewPresignClient(sts.NewFromConfig(cfg))
	signed, err := signer.PresignGetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(o *sts.Options) {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue(clusterHeader, cluster),
				smithyhttp.SetHeaderValue(presignedForHeader, presignedFor))
		})
	})
	if err != nil {
		return nil, fmt.Errorf("sign a token for cluster %s as %s: %w", cluster, orUs(roleARN), err)
	}
	// A token dies with the session that signed it, and kubectl would go on
	// with it: it asks for another one when it is refused, but only then.
	last := c.o.Now().Add(tokenLasts)
	if by, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("sign a token for cluster %s as %s: %w", cluster, orUs(roleARN), err)
	} else if by.CanExpire && by.Expires.Before(last) {
		last = by.Expires
	}
	expires := metav1.NewTime(last.UTC().Truncate(time.Second))
	credential := clientauthv1.ExecCredential{
		TypeMeta: metav1.TypeMeta{APIVersion: clientauthv1.SchemeGroupVersion.String(), Kind: "ExecCredential"},
		Status: &clientauthv1.ExecCredentialStatus{
			ExpirationTimestamp: &expires,
			Token:               tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed.URL)),
		},
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("write a token for cluster %s: %w", cluster, err)
	}
	return text, nil
}
