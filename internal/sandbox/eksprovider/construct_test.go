package eksprovider_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// providers makes the explicit providers that a component needs when the
// default ones are disabled.
func providers(ctx *pulumi.Context) (pulumi.ResourceOption, *aws.Provider, error) {
	a, err := aws.NewProvider(ctx, "org", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
	if err != nil {
		return nil, nil, err
	}
	e, err := eks.NewProvider(ctx, "eks", &eks.ProviderArgs{})
	if err != nil {
		return nil, nil, err
	}
	return pulumi.Providers(a, e), a, nil
}

func TestTheClusterMakesTheChildrenThatTheGenuineComponentMakes(t *testing.T) {
	resources, outputs := up(t, func(ctx *pulumi.Context) error {
		opts, _, err := providers(ctx)
		if err != nil {
			return err
		}
		c, err := eks.NewCluster(ctx, "cl", &eks.ClusterArgs{
			SkipDefaultNodeGroup:   new(true),
			AuthenticationMode:     new(eks.AuthenticationModeApi),
			EncryptionConfigKeyArn: pulumi.String("arn:aws:kms:eu-west-1:111122223333:key/1"),
			EnabledClusterLogTypes: pulumi.ToStringArray([]string{"api", "audit"}),
			VpcId:                  pulumi.String("vpc-1"),
			PrivateSubnetIds:       pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
			Version:                pulumi.String("1.35"),
			CorednsAddonOptions:    &eks.CoreDnsAddonOptionsArgs{},
		}, opts)
		if err != nil {
			return err
		}
		ctx.Export("clusterSecurityGroupId", c.ClusterSecurityGroupId)
		ctx.Export("endpoint", c.Core.Endpoint())
		ctx.Export("oidcIssuer", c.OidcIssuer)
		ctx.Export("name", c.EksCluster.Name())
		ctx.Export("kubeconfig", c.KubeconfigJson)
		return nil
	})

	const rule = "description fromPort protocol securityGroupId"
	want := []child{
		{"aws:ec2/securityGroup:SecurityGroup", "cl-eksClusterSecurityGroup", "cl", "description revokeRulesOnDelete tags vpcId"},
		{"aws:ec2/securityGroup:SecurityGroup", "cl-nodeSecurityGroup", "cl", "description revokeRulesOnDelete tags vpcId"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "cl-eksClusterIngressRule", "cl", rule + " sourceSecurityGroupId toPort type"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "cl-eksClusterInternetEgressRule", "cl", "cidrBlocks " + rule + " toPort type"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "cl-eksExtApiServerClusterIngressRule", "cl", rule + " sourceSecurityGroupId toPort type"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "cl-eksNodeClusterIngressRule", "cl", rule + " sourceSecurityGroupId toPort type"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "cl-eksNodeIngressRule", "cl", rule + " self toPort type"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "cl-eksNodeInternetEgressRule", "cl", "cidrBlocks " + rule + " toPort type"},
		{"aws:eks/addon:Addon", "cl-coredns", "cl", "addonName addonVersion clusterName preserve resolveConflictsOnCreate resolveConflictsOnUpdate"},
		{"aws:eks/addon:Addon", "cl-kube-proxy", "cl", "addonName addonVersion clusterName preserve resolveConflictsOnCreate resolveConflictsOnUpdate"},
		{"aws:eks/addon:Addon", "cl-vpc-cni", "cl-vpc-cni", "addonName addonVersion clusterName configurationValues preserve resolveConflictsOnCreate resolveConflictsOnUpdate"},
		{"aws:eks/cluster:Cluster", "cl-eksCluster", "cl", "accessConfig enabledClusterLogTypes encryptionConfig roleArn tags version vpcConfig"},
		{"aws:iam/role:Role", "cl-eksRole-role", "cl-eksRole", "assumeRolePolicy description"}, // AWS's provider adds the name
		{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", "cl-eksRole-4b490823", "cl-eksRole", "policyArn role"},
		{"eks:index:ServiceRole", "cl-eksRole", "cl", ""},
		{"eks:index:VpcCniAddon", "cl-vpc-cni", "cl", ""},
		{"pulumi:providers:kubernetes", "cl-eks-k8s", "cl", "kubeconfig"},
	}
	if diff := cmp.Diff(want, below(resources, "cl")); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}

	got := map[string]string{}
	for key, out := range outputs {
		got[key], _ = out.Value.(string)
	}
	if !strings.Contains(got["kubeconfig"], `"args":["--region","eu-west-1","eks","get-token","--cluster-name","cl-eksCluster","--output","json"]`) {
		t.Errorf("kubeconfig: %s", got["kubeconfig"])
	}
	delete(got, "kubeconfig")
	wantOutputs := map[string]string{
		"clusterSecurityGroupId": idOf(resources, "cl-eksClusterSecurityGroup"),
		"endpoint":               "https://127.0.0.1:6443",
		"oidcIssuer":             "oidc.eks.eu-west-1.amazonaws.com/id/0",
		"name":                   "cl-eksCluster",
	}
	if diff := cmp.Diff(wantOutputs, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

func TestAClusterWithItsOwnRolesMakesNoRoleNorGroup(t *testing.T) {
	resources, outputs := up(t, func(ctx *pulumi.Context) error {
		opts, a, err := providers(ctx)
		if err != nil {
			return err
		}
		role, err := iam.NewRole(ctx, "own", &iam.RoleArgs{AssumeRolePolicy: pulumi.String("{}")}, pulumi.Provider(a))
		if err != nil {
			return err
		}
		c, err := eks.NewCluster(ctx, "cl", &eks.ClusterArgs{
			Name:                      pulumi.String("freehold-acme"),
			SkipDefaultNodeGroup:      new(true),
			SkipDefaultSecurityGroups: new(true),
			CreateOidcProvider:        pulumi.Bool(true),
			AuthenticationMode:        new(eks.AuthenticationModeApi),
			ServiceRole:               role,
			VpcId:                     pulumi.String("vpc-1"),
			SubnetIds:                 pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
			Tags:                      pulumi.StringMap{"freehold.dev/org": pulumi.String("acme")},
			ProviderCredentialOpts:    eks.KubeconfigOptionsArgs{RoleArn: role.Arn},
			KubeProxyAddonOptions:     &eks.KubeProxyAddonOptionsArgs{Version: pulumi.String("v1")},
			EndpointPublicAccess:      pulumi.Bool(true),
			PublicAccessCidrs:         pulumi.ToStringArray([]string{"198.51.100.0/24"}),

			KubernetesServiceIpAddressRange: pulumi.String("172.20.0.0/16"),
			VpcCniOptions:                   &eks.VpcCniOptionsArgs{AddonVersion: pulumi.String("v2"), EnableNetworkPolicy: pulumi.Bool(true)},
			AccessEntries: map[string]eks.AccessEntryArgs{"bootstrap": {
				PrincipalArn: role.Arn,
				AccessPolicies: map[string]eks.AccessPolicyAssociationInput{"admin": eks.AccessPolicyAssociationArgs{
					PolicyArn:   pulumi.String("arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"),
					AccessScope: awseks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
				}},
			}},
		}, opts)
		if err != nil {
			return err
		}
		if _, err := eks.NewManagedNodeGroup(ctx, "by-core", &eks.ManagedNodeGroupArgs{
			Cluster: c.Core, NodeRoleArn: role.Arn,
			LaunchTemplate: awseks.NodeGroupLaunchTemplateArgs{Id: pulumi.String("lt-1"), Version: pulumi.String("1")},
			ScalingConfig:  awseks.NodeGroupScalingConfigArgs{MinSize: pulumi.Int(1), DesiredSize: pulumi.Int(1), MaxSize: pulumi.Int(3)},
		}, opts); err != nil {
			return err
		}
		_, err = eks.NewManagedNodeGroup(ctx, "by-cluster", &eks.ManagedNodeGroupArgs{
			Cluster: c, NodeRole: role, EnableIMDSv2: new(true), DiskSize: pulumi.Int(40),
			AmiType: pulumi.String("BOTTLEROCKET_x86_64"), Tags: pulumi.StringMap{"a": pulumi.String("b")},
		}, opts)
		if err != nil {
			return err
		}
		text, err := c.GetKubeconfig(ctx, &eks.ClusterGetKubeconfigArgs{RoleArn: role.Arn})
		ctx.Export("kubeconfig", text)
		return err
	})

	const addon = "addonName addonVersion clusterName preserve resolveConflictsOnCreate resolveConflictsOnUpdate tags"
	want := map[string][]child{
		"cl": {
			{"aws:eks/accessEntry:AccessEntry", "cl-bootstrap", "cl", "clusterName principalArn"},
			{"aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "cl-bootstrap-admin", "cl-bootstrap", "accessScope clusterName policyArn principalArn"},
			{"aws:eks/addon:Addon", "cl-kube-proxy", "cl", addon},
			{"aws:eks/addon:Addon", "cl-vpc-cni", "cl-vpc-cni", strings.Replace(addon, " preserve", " configurationValues preserve", 1)},
			{"aws:eks/cluster:Cluster", "cl-eksCluster", "cl", "accessConfig kubernetesNetworkConfig name roleArn tags vpcConfig"},
			{"aws:iam/openIdConnectProvider:OpenIdConnectProvider", "cl-oidcProvider", "cl", "clientIdLists thumbprintLists url"},
			{"eks:index:VpcCniAddon", "cl-vpc-cni", "cl", ""},
			{"pulumi:providers:kubernetes", "cl-eks-k8s", "cl", "kubeconfig"},
		},
		"by-core": {
			{"aws:eks/nodeGroup:NodeGroup", "by-core", "by-core", "clusterName launchTemplate nodeRoleArn scalingConfig subnetIds"},
		},
		"by-cluster": {
			{"aws:ec2/launchTemplate:LaunchTemplate", "by-cluster-launchTemplate", "by-cluster", "blockDeviceMappings metadataOptions"},
			{"aws:eks/nodeGroup:NodeGroup", "by-cluster", "by-cluster", "amiType clusterName launchTemplate nodeRoleArn scalingConfig subnetIds tags version"},
		},
	}
	got := map[string][]child{}
	for name := range want {
		got[name] = below(resources, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}

	for _, r := range resources {
		if r.Custom && r.Type != "pulumi:providers:aws" && strings.HasPrefix(string(r.Type), "aws:") && !strings.Contains(r.Provider, "::org::") {
			t.Errorf("%s is made by %s, not by the provider given", r.URN.Name(), r.Provider)
		}
	}
	made := find(resources, "cl-eksCluster", "aws:eks/cluster:Cluster").Inputs
	wantCluster := map[string]any{
		"name": "freehold-acme", "roleArn": "arn:aws:any:eu-west-1:111122223333:own",
		"accessConfig":            map[string]any{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"kubernetesNetworkConfig": map[string]any{"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"},
		"tags":                    map[string]any{"Name": "cl-eksCluster", "freehold.dev/org": "acme"},
		"vpcConfig": map[string]any{
			"endpointPublicAccess": true, "publicAccessCidrs": []any{"198.51.100.0/24"}, "subnetIds": []any{"subnet-1", "subnet-2"},
		},
	}
	if diff := cmp.Diff(wantCluster, made); diff != "" {
		t.Errorf("cluster (-want +got):\n%s", diff)
	}
	nodes := find(resources, "by-cluster", "aws:eks/nodeGroup:NodeGroup").Inputs
	wantNodes := map[string]any{
		"amiType": "BOTTLEROCKET_x86_64", "clusterName": "freehold-acme",
		"launchTemplate": map[string]any{"id": idOf(resources, "by-cluster-launchTemplate"), "version": "1"},
		"nodeRoleArn":    "arn:aws:any:eu-west-1:111122223333:own",
		"scalingConfig":  map[string]any{"desiredSize": 2.0, "maxSize": 2.0, "minSize": 1.0},
		"subnetIds":      []any{"subnet-1", "subnet-2"},
		"tags":           map[string]any{"a": "b"},
		"version":        "1.35", // the cluster's
	}
	if diff := cmp.Diff(wantNodes, nodes); diff != "" {
		t.Errorf("node group (-want +got):\n%s", diff)
	}

	var cni map[string]any
	text := find(resources, "cl-vpc-cni", "aws:eks/addon:Addon").Inputs["configurationValues"].(string)
	if err := json.Unmarshal([]byte(text), &cni); err != nil {
		t.Fatal(err)
	}
	wantCNI := map[string]any{
		"enableNetworkPolicy": "true",
		"init":                map[string]any{"env": map[string]any{"DISABLE_TCP_EARLY_DEMUX": "false"}},
		"env": map[string]any{
			"WARM_ENI_TARGET": "1", "AWS_VPC_K8S_CNI_LOGLEVEL": "DEBUG", "AWS_VPC_K8S_CNI_VETHPREFIX": "eni", "AWS_VPC_ENI_MTU": "9001",
			"AWS_VPC_K8S_CNI_LOG_FILE": "/host/var/log/aws-routed-eni/ipamd.log", "AWS_VPC_K8S_PLUGIN_LOG_LEVEL": "DEBUG",
			"AWS_VPC_K8S_PLUGIN_LOG_FILE": "/var/log/aws-routed-eni/plugin.log", "ENABLE_POD_ENI": "false",
			"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false", "AWS_VPC_K8S_CNI_EXTERNALSNAT": "false",
		},
	}
	if diff := cmp.Diff(wantCNI, cni); diff != "" {
		t.Errorf("vpc-cni's configuration (-want +got):\n%s", diff)
	}

	kubeconfig, _ := outputs["kubeconfig"].Value.(string)
	const args = `"args":["--region","eu-west-1","eks","get-token","--cluster-name","freehold-acme","--output","json","--role","arn:aws:any:eu-west-1:111122223333:own"]`
	if !strings.Contains(kubeconfig, args) {
		t.Errorf("getKubeconfig does not assume the role: %s", kubeconfig)
	}
}

func find(resources []apitype.ResourceV3, name, typ string) apitype.ResourceV3 {
	for _, r := range resources {
		if r.URN.Name() == name && string(r.Type) == typ {
			return r
		}
	}
	return apitype.ResourceV3{}
}

func idOf(resources []apitype.ResourceV3, name string) string {
	for _, r := range resources {
		if r.URN.Name() == name {
			return string(r.ID)
		}
	}
	return ""
}
