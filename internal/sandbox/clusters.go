package sandbox

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/sandbox/store"
)

const adminPolicy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

// planes gives EKS's clusters their control planes.
type planes struct{ m *controlplane.Manager }

func (p planes) Create(ctx context.Context, s awsprovider.PlaneSpec) (string, string, error) {
	e, err := p.m.Create(ctx, controlplane.Spec{
		Cluster: controlplane.Cluster{Account: s.Account, Region: s.Region, Name: s.Name}, Version: s.Version, Issuer: s.OIDCIssuer,
	})
	return e.URL, e.CABase64(), err
}

// Update follows with the control plane when EKS's cluster has a later version.
func (p planes) Update(ctx context.Context, s awsprovider.PlaneSpec) error {
	return p.m.Upgrade(ctx, controlplane.Cluster{Account: s.Account, Region: s.Region, Name: s.Name}, s.Version)
}

func (p planes) Authenticate(ctx context.Context, arn string, by *awsprovider.IdentityProvider) error {
	c, err := clusterOf(arn)
	if err != nil {
		return err
	}
	return p.m.Authenticate(ctx, c, (*controlplane.IdentityProvider)(by))
}

func (p planes) Delete(ctx context.Context, arn string) error {
	c, err := clusterOf(arn)
	if err != nil {
		return err
	}
	return p.m.Delete(ctx, c)
}

// clusterOf reads "arn:aws:eks:REGION:ACCOUNT:cluster/NAME".
func clusterOf(arn string) (controlplane.Cluster, error) {
	a, err := iam.ParseARN(arn)
	name, isCluster := strings.CutPrefix(a.Resource, "cluster/")
	if err != nil || a.Service != "eks" || !isCluster {
		return controlplane.Cluster{}, fmt.Errorf("%q is not the ARN of a cluster", arn)
	}
	return controlplane.Cluster{Account: a.Account, Region: a.Region, Name: name}, nil
}

// CheckRelease refuses a Kubernetes version that EKS has and the binary of the
// sandbox's control planes cannot be, and versions of add-ons that EKS lacks.
func (c *Cloud) CheckRelease(_ context.Context, r cloud.Release) error {
	if has := awsprovider.KubernetesVersions(); !slices.Contains(has, r.Kubernetes) {
		return &cloud.UnsupportedError{Asked: r.Kubernetes, Has: has}
	}
	if c.clusters != nil {
		if err := controlplane.CheckVersion(r.Kubernetes); err != nil {
			return &cloud.UnsupportedError{Asked: r.Kubernetes, Because: err.Error()}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Addons)) {
		if has := awsprovider.AddonVersions(name, r.Kubernetes); !slices.Contains(has, r.Addons[name]) {
			return &cloud.UnsupportedError{Addon: name, Asked: r.Addons[name], Has: has}
		}
	}
	return nil
}

// Running says what EKS's cluster and its node groups are.
func (c *Cloud) Running(ctx context.Context, a cloud.Account, cluster string) (cloud.Running, error) {
	out := cloud.Running{NodeGroups: map[string]string{}}
	who, err := c.as(ctx, a)
	if err != nil {
		return out, fmt.Errorf("what cluster %s runs: %w", cluster, err)
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Account: who.Account(), Region: a.Region})
	if err != nil {
		return out, fmt.Errorf("what cluster %s runs: %w", cluster, err)
	}
	for _, r := range rows {
		version, _ := r.Outputs["version"].(string)
		switch {
		case r.Type == awstype.EKSCluster && r.ID == cluster:
			out.Kubernetes = version
			out.Protected, _ = r.Outputs[awsprovider.DeletionProtection].(bool)
			out.Endpoint, _ = r.Outputs["endpoint"].(string)
			authority, _ := r.Outputs["certificateAuthority"].(map[string]any)
			out.CA, _ = authority["data"].(string)
		case r.Type == awstype.EKSNodeGroup && r.Outputs["clusterName"] == cluster:
			out.NodeGroups[nameOf(r)] = version
		}
	}
	if out.Kubernetes == "" {
		return out, fmt.Errorf("what cluster %s runs: ResourceNotFoundException: %w", cluster, cloud.ErrNotFound)
	}
	return out, nil
}

// ensure starts a cluster unless it runs, with the version and the identity
// provider that EKS says it has: who was killed between the two left the control
// plane behind.
func (c *Cloud) ensure(ctx context.Context, at controlplane.Cluster) error {
	rows, err := c.backend.Rows(ctx, store.Filter{Account: at.Account, Region: at.Region, Type: awstype.EKSCluster, ID: at.Name})
	if err != nil {
		return err
	}
	for _, r := range rows {
		version, _ := r.Outputs["version"].(string)
		if err := c.clusters.Upgrade(ctx, at, version); err != nil {
			return err
		}
	}
	if err := c.authenticate(ctx, at); err != nil {
		return err
	}
	return c.clusters.Ensure(ctx, at, nil)
}

// authenticate has a cluster believe the identity provider that EKS says it has.
func (c *Cloud) authenticate(ctx context.Context, at controlplane.Cluster) error {
	rows, err := c.backend.Rows(ctx, store.Filter{Account: at.Account, Region: at.Region, Type: awstype.EKSIdentityProviderConfig})
	if err != nil {
		return err
	}
	var by *awsprovider.IdentityProvider
	for _, r := range rows {
		if r.Outputs["clusterName"] == at.Name {
			by = awsprovider.IdentityProviderOf(r)
		}
	}
	return c.clusters.Authenticate(ctx, at, (*controlplane.IdentityProvider)(by))
}

// ProtectCluster sets EKS's deletion protection.
func (c *Cloud) ProtectCluster(ctx context.Context, cl cloud.Cluster, on bool) error {
	who, err := c.as(ctx, cl.Account)
	if err != nil {
		return err
	}
	found, err := c.backend.Change(ctx, who, awsprovider.TypeOf(awstype.EKSCluster), cl.Name, "UpdateClusterConfig", func(out map[string]any) {
		out[awsprovider.DeletionProtection] = on
	})
	if err != nil {
		return fmt.Errorf("protect cluster %s: %w", cl.Name, err)
	}
	if !found {
		return fmt.Errorf("protect cluster %s: ResourceNotFoundException: %w", cl.Name, cloud.ErrNotFound)
	}
	return nil
}

// NodeGroup reads the size of a node group.
func (c *Cloud) NodeGroup(ctx context.Context, in cloud.Account, cluster, name string) (cloud.NodeGroup, error) {
	who, err := c.as(ctx, in)
	if err != nil {
		return cloud.NodeGroup{}, err
	}
	row, err := c.backend.Get(ctx, who, awsprovider.TypeOf(awstype.EKSNodeGroup), cluster+":"+name)
	if err != nil {
		return cloud.NodeGroup{}, fmt.Errorf("node group %s: %w", name, err)
	}
	if row == nil {
		return cloud.NodeGroup{}, fmt.Errorf("node group %s: ResourceNotFoundException: %w", name, cloud.ErrNotFound)
	}
	scaling, _ := row.Outputs["scalingConfig"].(map[string]any)
	number := func(key string) int {
		n, _ := scaling[key].(float64)
		return int(n)
	}
	return cloud.NodeGroup{Name: name, Min: number("minSize"), Max: number("maxSize"), Size: number("desiredSize")}, nil
}

// Kubeconfig returns a kubeconfig for a role, which must have an access entry
// with a policy: without one EKS would refuse each of its requests.
func (c *Cloud) Kubeconfig(ctx context.Context, cl cloud.Cluster, roleARN string) ([]byte, error) {
	if c.clusters == nil {
		return nil, fmt.Errorf("kubeconfig of %s: this sandbox runs no control planes", cl.Name)
	}
	at, err := clusterOf(cl.ARN)
	if err != nil {
		return nil, err
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Account: at.Account, Region: at.Region, Type: awstype.EKSCluster, ID: at.Name})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("kubeconfig of %s: ResourceNotFoundException: %w", cl.Name, cloud.ErrNotFound)
	}
	entries, err := c.associations(ctx, at.Account, at.Region, at.Name, roleARN)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("kubeconfig of %s: %s has no access entry with a policy: the server would ask for credentials", cl.Name, roleARN)
	}
	as := "reader"
	if slices.ContainsFunc(entries, func(r store.Row) bool { return r.Outputs["policyArn"] == adminPolicy }) {
		as = "bootstrap"
	}
	return c.clusters.Kubeconfig(at, controlplane.Plugin{
		Executable: c.o.Executable, Args: []string{"sandbox", "token", "--dir", c.dir(at), "--as", as, "--role", roleARN}, Env: c.o.Env,
	})
}

func (c *Cloud) dir(at controlplane.Cluster) string {
	return filepath.Join(c.root, at.Account, at.Region, at.Name)
}

// identities are who a kubeconfig of ours can be.
var identities = map[string]controlplane.Identity{
	"bootstrap": {User: "freehold:bootstrap", Groups: []string{controlplane.Administrators}},
	"reader":    {User: "freehold:reader", Groups: []string{controlplane.Readers}},
}

// Token wakes the cluster that is kept in dir and returns an ExecCredential for
// it, as a role of the account; empty: as who has no role to lose.
func (c *Cloud) Token(ctx context.Context, dir, as, roleARN string) ([]byte, error) {
	if c.clusters == nil {
		return nil, fmt.Errorf("token: this sandbox runs no control planes")
	}
	who, known := identities[as]
	if !known {
		return nil, fmt.Errorf("token: nobody is called %q", as)
	}
	at := controlplane.Cluster{Account: filepath.Base(filepath.Dir(filepath.Dir(dir))), Region: filepath.Base(filepath.Dir(dir)), Name: filepath.Base(dir)}
	if err := c.ensure(ctx, at); err != nil {
		return nil, err
	}
	if roleARN != "" {
		if in, err := c.letsIn(ctx, at, roleARN); err != nil || !in {
			return controlplane.Stranger(), err
		}
	}
	cred, err := c.clusters.Credential(at, who)
	if err != nil {
		return nil, err
	}
	return cred.Exec()
}

// ServeCluster runs the control plane that is kept in dir until ctx ends or
// nobody has used it for a while.
func (c *Cloud) ServeCluster(ctx context.Context, dir string, idle time.Duration) error {
	return controlplane.Serve(ctx, dir, controlplane.ServeOptions{Idle: idle, Log: c.log(), Now: c.o.Clock})
}

func (c *Cloud) log() *slog.Logger { return c.o.Log }

// resolve tells the kubernetes provider how the server of a kubeconfig is
// reached: as whom the kubeconfig's plugin would say, without starting it.
func (c *Cloud) resolve(ctx context.Context, kubeconfig string) (*rest.Config, error) {
	if c.clusters == nil {
		return nil, fmt.Errorf("this sandbox runs no control planes")
	}
	at, err := c.clusters.Find(kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := c.ensure(ctx, at); err != nil {
		return nil, err
	}
	who, roleARN, err := identityIn(kubeconfig)
	if err != nil {
		return nil, err
	}
	config, err := c.clusters.RESTConfig(at, who)
	if err != nil || roleARN == "" {
		return config, err
	}
	if in, err := c.letsIn(ctx, at, roleARN); err != nil || in {
		return config, err
	}
	return controlplane.AsStranger(config), nil
}

// identityIn is who a kubeconfig's plugin says that its user is, and as which role.
func identityIn(kubeconfig string) (who controlplane.Identity, roleARN string, err error) {
	config, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		return who, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	if current := config.Contexts[config.CurrentContext]; current != nil {
		if user := config.AuthInfos[current.AuthInfo]; user != nil && user.Exec != nil {
			after := func(flag string) string {
				if i := slices.Index(user.Exec.Args, flag); i >= 0 && i+1 < len(user.Exec.Args) {
					return user.Exec.Args[i+1]
				}
				return ""
			}
			if who, known := identities[after("--as")]; known {
				return who, after("--role"), nil
			}
		}
	}
	return who, "", fmt.Errorf("the kubeconfig does not say as whom: its user must be this sandbox's credential plugin")
}

// Stop stops the control planes of an account, or of all; they start again on demand.
func (c *Cloud) Stop(ctx context.Context, owner string) error {
	if c.clusters == nil {
		return nil
	}
	if owner == "" {
		return c.clusters.StopAll(ctx)
	}
	all, err := c.clusters.List()
	if err != nil {
		return err
	}
	account, err := c.account(ctx, owner)
	if err != nil {
		return err
	}
	for _, at := range all {
		if at.Account != account {
			continue
		}
		if err := c.clusters.Stop(ctx, at); err != nil {
			return err
		}
	}
	return nil
}
