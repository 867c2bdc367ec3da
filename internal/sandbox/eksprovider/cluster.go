package eksprovider

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

// component is a component resource without fields: what it returns is a map,
// because the genuine outputs nest resources in objects.
type component struct{ pulumi.ResourceState }

// cluster is one eks:index:Cluster while it is made.
type cluster struct {
	ctx    *pulumi.Context
	name   string
	in     clusterInputs
	parent *component

	partition   aws.GetPartitionResultOutput
	groupOutput ec2.SecurityGroupOutput
	groupID     pulumi.StringOutput
	hasGroup    bool
	eks         *awseks.Cluster
	iamRole     iam.RoleOutput
	roles       iam.RoleArrayOutput
	entries     pulumi.Array
	vpcCni      *eks.VpcCniAddon
	k8s         *kubernetes.Provider
	oidc        *iam.OpenIdConnectProvider
	kubeconfig  kubeconfig
}

// constructCluster makes a cluster and its children, in the order in which the
// genuine component registers them.
func constructCluster(ctx *pulumi.Context, typ, name string, inputs provider.ConstructInputs, opts pulumi.ResourceOption) (*provider.ConstructResult, error) {
	c := &cluster{ctx: ctx, name: name, parent: &component{}}
	if err := inputs.CopyTo(&c.in); err != nil {
		return nil, fmt.Errorf("%s %q: %w", clusterToken, name, err)
	}
	if err := c.in.refuse(); err != nil {
		return nil, fmt.Errorf("%s %q: %w", clusterToken, name, err)
	}
	if err := ctx.RegisterComponentResource(typ, name, c.parent, opts); err != nil {
		return nil, err
	}

	// The genuine component asks for it whatever it makes.
	c.partition = aws.GetPartitionOutput(ctx, aws.GetPartitionOutputArgs{}, pulumi.Parent(c.parent))
	for _, step := range []func() error{
		c.makeClusterGroup, c.makeCluster, c.makeKubeProxy, c.makeProvider,
		c.makeAccess, c.makeVpcCni, c.makeCoreDNS, c.makeOidcProvider,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	outputs, err := c.outputs()
	if err != nil {
		return nil, err
	}
	if err := ctx.RegisterResourceOutputs(c.parent, outputs); err != nil {
		return nil, err
	}
	return &provider.ConstructResult{URN: c.parent.URN(), State: outputs}, nil
}

// refuse tells what the genuine component refuses too, and the combinations
// that this one does not make.
func (in *clusterInputs) refuse() error {
	var mistakes []error
	switch mode := deref(in.AuthenticationMode); mode {
	case "API":
	case "", "CONFIG_MAP", "API_AND_CONFIG_MAP":
		mistakes = append(mistakes, fmt.Errorf("the sandbox does not implement %s.authenticationMode %q: set it to API", clusterToken, mode))
	default:
		mistakes = append(mistakes, fmt.Errorf("invalid value for authenticationMode: %s. Allowed values are: CONFIG_MAP, API_AND_CONFIG_MAP, API", mode))
	}
	if !deref(in.SkipDefaultNodeGroup) {
		mistakes = append(mistakes, fmt.Errorf("the sandbox does not implement %s without skipDefaultNodeGroup", clusterToken))
	}
	if in.VpcID == nil {
		mistakes = append(mistakes, fmt.Errorf("the sandbox does not implement %s without vpcId: no account has a default VPC", clusterToken))
	}
	if in.SubnetIDs != nil && (in.PublicSubnetIDs != nil || in.PrivateSubnetIDs != nil) {
		mistakes = append(mistakes, errors.New("subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. Choose a single approach"))
	}
	if in.InstanceRole.OutputState != nil && in.InstanceRoles.OutputState != nil {
		mistakes = append(mistakes, errors.New("instanceRole and instanceRoles are mutually exclusive, and cannot both be set"))
	}
	return errors.Join(mistakes...)
}

// makeCluster makes the EKS cluster, and its service role unless one is given.
func (c *cluster) makeCluster() error {
	options := []pulumi.ResourceOption{
		pulumi.Parent(c.parent),
		pulumi.IgnoreChanges([]string{"accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"}),
	}
	if c.in.ServiceRole.OutputState != nil {
		c.iamRole = c.in.ServiceRole
	} else {
		role, made, err := c.makeServiceRole(c.name+"-eksRole", serviceRole{
			service:     "eks",
			description: pulumi.String("Allows EKS to manage clusters on your behalf."),
			policies:    []string{"AmazonEKSClusterPolicy"},
			actions:     []string{"sts:AssumeRole", "sts:TagSession"},
		})
		if err != nil {
			return err
		}
		c.iamRole = role.ToRoleOutput()
		options = append(options, pulumi.DependsOn(made))
	}

	args := &awseks.ClusterArgs{
		Name:    c.in.Name,
		RoleArn: c.iamRole.Arn(),
		VpcConfig: awseks.ClusterVpcConfigArgs{
			SubnetIds:             c.subnetIDs(),
			EndpointPrivateAccess: c.in.EndpointPrivateAccess,
			EndpointPublicAccess:  c.in.EndpointPublicAccess,
			PublicAccessCidrs:     c.publicAccessCidrs(),
			SecurityGroupIds:      c.groupIDs(),
		},
		Version:                 c.in.Version,
		EnabledClusterLogTypes:  c.in.EnabledClusterLogTypes,
		DefaultAddonsToRemoves:  c.in.DefaultAddonsToRemove,
		KubernetesNetworkConfig: c.networkConfig(),
		Tags:                    mergeTags(named(c.name+"-eksCluster"), c.in.ClusterTags, c.in.Tags),
		AccessConfig: awseks.ClusterAccessConfigArgs{
			AuthenticationMode:                      pulumi.StringPtrFromPtr(c.in.AuthenticationMode),
			BootstrapClusterCreatorAdminPermissions: pulumi.Bool(true),
		},
	}
	if c.in.EncryptionConfigKeyArn != nil {
		args.EncryptionConfig = awseks.ClusterEncryptionConfigArgs{
			Provider:  awseks.ClusterEncryptionConfigProviderArgs{KeyArn: text(c.in.EncryptionConfigKeyArn)},
			Resources: pulumi.ToStringArray([]string{"secrets"}),
		}
	}
	var err error
	c.eks, err = awseks.NewCluster(c.ctx, c.name+"-eksCluster", args, options...)
	return err
}

// subnetIDs are the ones given, or the public ones followed by the private ones.
func (c *cluster) subnetIDs() pulumi.StringArrayInput {
	if c.in.SubnetIDs != nil {
		return c.in.SubnetIDs
	}
	return pulumi.All(list(c.in.PublicSubnetIDs), list(c.in.PrivateSubnetIDs)).ApplyT(func(all []any) []string {
		return append(append([]string{}, all[0].([]string)...), all[1].([]string)...)
	}).(pulumi.StringArrayOutput)
}

// publicAccessCidrs refuses a list for an endpoint that is not public.
func (c *cluster) publicAccessCidrs() pulumi.StringArrayInput {
	if c.in.PublicAccessCidrs == nil {
		return nil
	}
	return pulumi.All(c.in.PublicAccessCidrs, boolOr(c.in.EndpointPublicAccess, true)).ApplyT(func(all []any) ([]string, error) {
		if !all[1].(bool) {
			return nil, errors.New("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true")
		}
		return all[0].([]string), nil
	}).(pulumi.StringArrayOutput)
}

func (c *cluster) networkConfig() awseks.ClusterKubernetesNetworkConfigPtrInput {
	if c.in.KubernetesServiceIPAddressRange == nil && c.in.IPFamily == nil {
		return nil
	}
	family := textOr(c.in.IPFamily, "ipv4")
	args := awseks.ClusterKubernetesNetworkConfigArgs{IpFamily: family}
	if c.in.KubernetesServiceIPAddressRange != nil {
		// The range of an IPv6 cluster is AWS's to choose.
		args.ServiceIpv4Cidr = pulumi.All(family, text(c.in.KubernetesServiceIPAddressRange)).ApplyT(func(all []any) *string {
			services := all[1].(string)
			if all[0].(string) != "ipv4" {
				return nil
			}
			return &services
		}).(pulumi.StringPtrOutput)
	}
	return args
}

// makeProvider makes the Kubernetes provider that reaches the cluster.
func (c *cluster) makeProvider() error {
	c.kubeconfig = kubeconfigOf(c.eks, c.in.ProviderCredentialOpts)
	var err error
	c.k8s, err = kubernetes.NewProvider(c.ctx, c.name+"-eks-k8s", &kubernetes.ProviderArgs{
		Kubeconfig:             c.kubeconfig.withProfile,
		EnableConfigMapMutable: c.in.EnableConfigMapMutable,
	}, pulumi.Parent(c.parent))
	return err
}

// makeOidcProvider makes IAM trust the cluster's issuer, where asked. The genuine
// component reads the thumbprint from the issuer's certificate; IAM has not used
// it for EKS since 2023, and nobody serves a sandbox's issuer.
func (c *cluster) makeOidcProvider() error {
	if !deref(c.in.CreateOidcProvider) {
		return nil
	}
	var err error
	c.oidc, err = iam.NewOpenIdConnectProvider(c.ctx, c.name+"-oidcProvider", &iam.OpenIdConnectProviderArgs{
		ClientIdLists:   pulumi.ToStringArray([]string{"sts.amazonaws.com"}),
		Url:             c.issuer(),
		ThumbprintLists: pulumi.ToStringArray([]string{amazonRootThumbprint}),
	}, pulumi.Parent(c.parent))
	return err
}

// amazonRootThumbprint is what oidc.eks.*.amazonaws.com has answered with since 2023.
const amazonRootThumbprint = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"

func (c *cluster) issuer() pulumi.StringOutput {
	return c.eks.Identities.ApplyT(func(identities []awseks.ClusterIdentity) string {
		if len(identities) == 0 || len(identities[0].Oidcs) == 0 || identities[0].Oidcs[0].Issuer == nil {
			return ""
		}
		return *identities[0].Oidcs[0].Issuer
	}).(pulumi.StringOutput)
}

// outputs makes the node group's security group, which the genuine component
// makes last, and gathers what it returns. What it leaves undefined is absent.
func (c *cluster) outputs() (pulumi.Map, error) {
	core := pulumi.Map{
		"cluster":              c.eks,
		"clusterIamRole":       c.iamRole,
		"vpcId":                c.in.VpcID,
		"subnetIds":            c.subnetIDs(),
		"endpoint":             c.eks.Endpoint,
		"instanceRoles":        c.roles,
		"provider":             c.k8s,
		"kubeconfig":           c.kubeconfig.object,
		"storageClasses":       pulumi.Map{},
		"accessEntries":        c.entries,
		"autoModeNodeRoleName": pulumi.String(""),
	}
	nodeOptions := pulumi.Map{}
	out := pulumi.Map{
		"eksCluster":              c.eks,
		"instanceRoles":           c.roles,
		"kubeconfig":              c.kubeconfig.object,
		"kubeconfigJson":          c.kubeconfig.text,
		"clusterIngressRuleId":    pulumi.String(""),
		"defaultNodeGroupAsgName": pulumi.String(""),
		"fargateProfileId":        pulumi.String(""),
		"fargateProfileStatus":    pulumi.String(""),
		"oidcProviderArn":         pulumi.String(""),
		"oidcProviderUrl":         c.issuer(),
		"oidcIssuer": c.issuer().ApplyT(func(url string) string {
			return strings.Replace(url, "https://", "", 1)
		}).(pulumi.StringOutput),
		"autoModeNodeRoleName":   pulumi.String(""),
		"clusterSecurityGroupId": c.cloudGroupID(),
		"nodeSecurityGroupId":    c.cloudGroupID(),
	}
	if c.hasGroup {
		core["clusterSecurityGroup"] = c.groupOutput
		out["clusterSecurityGroup"] = c.groupOutput
		out["clusterSecurityGroupId"] = c.groupID
	}
	if !deref(c.in.SkipDefaultSecurityGroups) {
		group, rule, err := c.makeNodeGroup()
		if err != nil {
			return nil, err
		}
		out["nodeSecurityGroup"], out["nodeSecurityGroupId"] = group, group.ID()
		out["eksClusterIngressRule"], out["clusterIngressRuleId"] = rule, rule.SecurityGroupRuleId
		nodeOptions["nodeSecurityGroup"], nodeOptions["clusterIngressRule"] = group, rule
	}
	if c.oidc != nil {
		core["oidcProvider"] = c.oidc
		out["oidcProviderArn"] = c.oidc.Arn
	}
	if c.vpcCni != nil {
		core["vpcCni"] = c.vpcCni
	}
	if c.in.EncryptionConfigKeyArn != nil {
		core["encryptionConfig"] = pulumi.Map{
			"provider":  pulumi.Map{"keyArn": c.in.EncryptionConfigKeyArn},
			"resources": pulumi.ToStringArray([]string{"secrets"}),
		}
	}
	if c.in.Version != nil {
		nodeOptions["version"] = c.in.Version
	}
	for key, given := range map[string]pulumi.StringArrayInput{
		"publicSubnetIds": c.in.PublicSubnetIDs, "privateSubnetIds": c.in.PrivateSubnetIDs,
	} {
		if given != nil {
			core[key] = given
		}
	}
	for key, given := range map[string]pulumi.StringMapInput{
		"tags": c.in.Tags, "nodeSecurityGroupTags": c.in.NodeSecurityGroupTags,
	} {
		if given != nil {
			core[key] = given
		}
	}
	core["nodeGroupOptions"] = nodeOptions
	out["core"] = core
	return out, nil
}

// cloudGroupID is the security group that EKS makes for every cluster.
func (c *cluster) cloudGroupID() pulumi.StringOutput {
	return c.eks.VpcConfig.ClusterSecurityGroupId().ApplyT(func(id *string) string { return deref(id) }).(pulumi.StringOutput)
}
