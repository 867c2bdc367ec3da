package eksprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// clusterInputs are the inputs of eks:index:Cluster that are implemented. What
// decides which children there are is plain: it must be known when the
// component is constructed.
type clusterInputs struct {
	AccessEntries                   map[string]accessEntry        `pulumi:"accessEntries"`
	AuthenticationMode              *string                       `pulumi:"authenticationMode"`
	ClusterSecurityGroup            ec2.SecurityGroupOutput       `pulumi:"clusterSecurityGroup"`
	ClusterSecurityGroupTags        pulumi.StringMapInput         `pulumi:"clusterSecurityGroupTags"`
	ClusterTags                     pulumi.StringMapInput         `pulumi:"clusterTags"`
	CorednsAddonOptions             *addonOptions                 `pulumi:"corednsAddonOptions"`
	CreateInstanceRole              *bool                         `pulumi:"createInstanceRole"`
	CreateOidcProvider              *bool                         `pulumi:"createOidcProvider"`
	DefaultAddonsToRemove           pulumi.StringArrayInput       `pulumi:"defaultAddonsToRemove"`
	EnableConfigMapMutable          pulumi.BoolPtrInput           `pulumi:"enableConfigMapMutable"`
	EnabledClusterLogTypes          pulumi.StringArrayInput       `pulumi:"enabledClusterLogTypes"`
	EncryptionConfigKeyArn          pulumi.StringPtrInput         `pulumi:"encryptionConfigKeyArn"`
	EndpointPrivateAccess           pulumi.BoolPtrInput           `pulumi:"endpointPrivateAccess"`
	EndpointPublicAccess            pulumi.BoolPtrInput           `pulumi:"endpointPublicAccess"`
	InstanceRole                    iam.RoleOutput                `pulumi:"instanceRole"`
	InstanceRoles                   iam.RoleArrayOutput           `pulumi:"instanceRoles"`
	IPFamily                        pulumi.StringPtrInput         `pulumi:"ipFamily"`
	KubeProxyAddonOptions           *addonOptions                 `pulumi:"kubeProxyAddonOptions"`
	KubernetesServiceIPAddressRange pulumi.StringPtrInput         `pulumi:"kubernetesServiceIpAddressRange"`
	Name                            pulumi.StringPtrInput         `pulumi:"name"`
	NodeSecurityGroupTags           pulumi.StringMapInput         `pulumi:"nodeSecurityGroupTags"`
	PrivateSubnetIDs                pulumi.StringArrayInput       `pulumi:"privateSubnetIds"`
	ProviderCredentialOpts          eks.KubeconfigOptionsPtrInput `pulumi:"providerCredentialOpts"`
	PublicAccessCidrs               pulumi.StringArrayInput       `pulumi:"publicAccessCidrs"`
	PublicSubnetIDs                 pulumi.StringArrayInput       `pulumi:"publicSubnetIds"`
	ServiceRole                     iam.RoleOutput                `pulumi:"serviceRole"`
	SkipDefaultNodeGroup            *bool                         `pulumi:"skipDefaultNodeGroup"`
	SkipDefaultSecurityGroups       *bool                         `pulumi:"skipDefaultSecurityGroups"`
	SubnetIDs                       pulumi.StringArrayInput       `pulumi:"subnetIds"`
	Tags                            pulumi.StringMapInput         `pulumi:"tags"`
	UseDefaultVpcCni                *bool                         `pulumi:"useDefaultVpcCni"`
	Version                         pulumi.StringPtrInput         `pulumi:"version"`
	VpcCniOptions                   *vpcCniOptions                `pulumi:"vpcCniOptions"`
	VpcID                           pulumi.StringPtrInput         `pulumi:"vpcId"`
}

// accessEntry is one principal that may reach the cluster.
type accessEntry struct {
	AccessPolicies   map[string]eks.AccessPolicyAssociationInput `pulumi:"accessPolicies"`
	KubernetesGroups pulumi.StringArrayInput                     `pulumi:"kubernetesGroups"`
	PrincipalARN     pulumi.StringInput                          `pulumi:"principalArn"`
	Tags             pulumi.StringMapInput                       `pulumi:"tags"`
	Type             pulumi.StringPtrInput                       `pulumi:"type"`
	Username         pulumi.StringPtrInput                       `pulumi:"username"`
}

// addonOptions are those of coredns and kube-proxy.
type addonOptions struct {
	ConfigurationValues      pulumi.MapInput       `pulumi:"configurationValues"`
	Enabled                  *bool                 `pulumi:"enabled"`
	ResolveConflictsOnCreate *string               `pulumi:"resolveConflictsOnCreate"`
	ResolveConflictsOnUpdate *string               `pulumi:"resolveConflictsOnUpdate"`
	Version                  pulumi.StringPtrInput `pulumi:"version"`
}

// vpcCniOptions lacks securityContextPrivileged: it patches the aws-node daemon
// set, and no node of the sandbox runs one.
type vpcCniOptions struct {
	AddonVersion             pulumi.StringPtrInput `pulumi:"addonVersion"`
	CniConfigureRpfilter     pulumi.BoolPtrInput   `pulumi:"cniConfigureRpfilter"`
	CniCustomNetworkCfg      pulumi.BoolPtrInput   `pulumi:"cniCustomNetworkCfg"`
	CniExternalSnat          pulumi.BoolPtrInput   `pulumi:"cniExternalSnat"`
	ConfigurationValues      pulumi.MapInput       `pulumi:"configurationValues"`
	CustomNetworkConfig      pulumi.BoolPtrInput   `pulumi:"customNetworkConfig"`
	DisableTCPEarlyDemux     pulumi.BoolPtrInput   `pulumi:"disableTcpEarlyDemux"`
	EnableNetworkPolicy      pulumi.BoolPtrInput   `pulumi:"enableNetworkPolicy"`
	EnablePodEni             pulumi.BoolPtrInput   `pulumi:"enablePodEni"`
	EnablePrefixDelegation   pulumi.BoolPtrInput   `pulumi:"enablePrefixDelegation"`
	EniConfigLabelDef        pulumi.StringPtrInput `pulumi:"eniConfigLabelDef"`
	EniMtu                   pulumi.IntPtrInput    `pulumi:"eniMtu"`
	ExternalSnat             pulumi.BoolPtrInput   `pulumi:"externalSnat"`
	LogFile                  pulumi.StringPtrInput `pulumi:"logFile"`
	LogLevel                 pulumi.StringPtrInput `pulumi:"logLevel"`
	NodePortSupport          pulumi.BoolPtrInput   `pulumi:"nodePortSupport"`
	ResolveConflictsOnCreate *string               `pulumi:"resolveConflictsOnCreate"`
	ResolveConflictsOnUpdate *string               `pulumi:"resolveConflictsOnUpdate"`
	ServiceAccountRoleARN    pulumi.StringPtrInput `pulumi:"serviceAccountRoleArn"`
	VethPrefix               pulumi.StringPtrInput `pulumi:"vethPrefix"`
	WarmEniTarget            pulumi.IntPtrInput    `pulumi:"warmEniTarget"`
	WarmIPTarget             pulumi.IntPtrInput    `pulumi:"warmIpTarget"`
	WarmPrefixTarget         pulumi.IntPtrInput    `pulumi:"warmPrefixTarget"`
}

// nodeGroupInputs are the inputs of eks:index:ManagedNodeGroup that are
// implemented: not those that make user data, nor placement groups.
type nodeGroupInputs struct {
	AMIType              pulumi.StringPtrInput                  `pulumi:"amiType"`
	CapacityType         pulumi.StringPtrInput                  `pulumi:"capacityType"`
	Cluster              pulumi.AnyOutput                       `pulumi:"cluster"`
	ClusterName          pulumi.StringPtrInput                  `pulumi:"clusterName"`
	DiskSize             pulumi.IntPtrInput                     `pulumi:"diskSize"`
	EnableIMDSv2         *bool                                  `pulumi:"enableIMDSv2"`
	ForceUpdateVersion   pulumi.BoolPtrInput                    `pulumi:"forceUpdateVersion"`
	IgnoreScalingChanges *bool                                  `pulumi:"ignoreScalingChanges"`
	InstanceTypes        pulumi.StringArrayInput                `pulumi:"instanceTypes"`
	Labels               pulumi.StringMapInput                  `pulumi:"labels"`
	LaunchTemplate       awseks.NodeGroupLaunchTemplatePtrInput `pulumi:"launchTemplate"`
	NodeGroupName        pulumi.StringPtrInput                  `pulumi:"nodeGroupName"`
	NodeGroupNamePrefix  pulumi.StringPtrInput                  `pulumi:"nodeGroupNamePrefix"`
	NodeRole             iam.RoleOutput                         `pulumi:"nodeRole"`
	NodeRoleARN          pulumi.StringPtrInput                  `pulumi:"nodeRoleArn"`
	ReleaseVersion       pulumi.StringPtrInput                  `pulumi:"releaseVersion"`
	RemoteAccess         awseks.NodeGroupRemoteAccessPtrInput   `pulumi:"remoteAccess"`
	ScalingConfig        awseks.NodeGroupScalingConfigPtrInput  `pulumi:"scalingConfig"`
	SubnetIDs            pulumi.StringArrayInput                `pulumi:"subnetIds"`
	Tags                 pulumi.StringMapInput                  `pulumi:"tags"`
	Taints               awseks.NodeGroupTaintArrayInput        `pulumi:"taints"`
	Version              pulumi.StringPtrInput                  `pulumi:"version"`
}
