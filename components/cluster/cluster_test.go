package cluster_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/cluster"
	"freehold.dev/freehold/components/componenttest"
)

const (
	boundary  = "arn:aws:iam::210987654321:policy/freehold-acme-boundary"
	dataKey   = "arn:aws:kms:eu-central-1:210987654321:key/data"
	logKey    = "arn:aws:kms:eu-central-1:210987654321:key/log"
	provision = "arn:aws:iam::210987654321:role/freehold-acme-provision"
)

func args() cluster.Args {
	return cluster.Args{
		Name:             "acme",
		Version:          "1.35",
		VPCID:            pulumi.String("vpc-1"),
		SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		NodeSubnetIDs:    pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		PublicEndpoint:   true,
		AllowCIDRs:       []string{"203.0.113.0/24"},
		ClusterRole:      "freehold-acme-cluster",
		NodeRole:         "freehold-acme-node",
		EBSRole:          "freehold-acme-ebs",
		ProvisionRoleARN: provision,
		Access: []cluster.Access{
			{Name: "bootstrap", RoleARN: "arn:aws:iam::210987654321:role/b", Policy: "AmazonEKSClusterAdminPolicy", Groups: []string{"freehold:administrators"}},
			{Name: "read", RoleARN: "arn:aws:iam::210987654321:role/r", Policy: "AmazonEKSViewPolicy", Groups: []string{"freehold:readers"}},
		},
		BoundaryARN:      boundary,
		DataKeyARN:       dataKey,
		LogKeyARN:        logKey,
		LogRetentionDays: 365,
		NodePools: []cluster.NodePool{
			{
				Name: "acme-default", Pool: "default", InstanceTypes: []string{"m6i.large"}, CapacityType: "ON_DEMAND",
				AMIType: "AL2023_x86_64_STANDARD", Min: 2, Max: 4, Desired: 2, DiskGiB: 50,
			},
			{
				Name: "acme-batch", Pool: "batch", InstanceTypes: []string{"m7g.large", "m6g.large"}, CapacityType: "SPOT",
				AMIType: "BOTTLEROCKET_ARM_64", Max: 10, DiskGiB: 80, Labels: map[string]string{"work": "batch"},
				Taints: []cluster.Taint{{Key: "batch", Effect: "NO_SCHEDULE"}, {Key: "team", Value: "core", Effect: "NO_EXECUTE"}},
			},
		},
		AddonVersions: map[string]string{
			"vpc-cni": "v1", "kube-proxy": "v2", "coredns": "v3", "aws-ebs-csi-driver": "v4", "eks-pod-identity-agent": "v5",
		},
		Tags: map[string]string{
			"freehold.dev/org": "acme", "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold",
		},
		Protect: true,
	}
}

const eksCluster = "aws:eks/cluster:Cluster"

// standIn is the EKS cluster that the eks component would make: mocks run no
// component of a plugin.
var standIn = resource.URN("urn:pulumi:acme.test::freehold::" + eksCluster + "::stand-in")

func program(a cluster.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "org", &aws.ProviderArgs{Region: pulumi.String(componenttest.Region)})
		if err != nil {
			return err
		}
		e, err := eks.NewProvider(ctx, "eks", &eks.ProviderArgs{})
		if err != nil {
			return err
		}
		s, err := awseks.NewCluster(ctx, "stand-in", &awseks.ClusterArgs{
			Name: pulumi.String(a.Name), RoleArn: pulumi.String("r"), VpcConfig: awseks.ClusterVpcConfigArgs{SubnetIds: pulumi.StringArray{}},
		}, pulumi.Provider(p))
		if err != nil {
			return err
		}
		c, err := cluster.New(ctx, "cluster", a, pulumi.Providers(p, e), pulumi.DependsOn([]pulumi.Resource{s}))
		if err != nil {
			return err
		}
		for name, out := range map[string]pulumi.Input{
			"name": c.Name, "arn": c.ARN, "endpoint": c.Endpoint, "ca": c.CertificateAuthority, "issuer": c.OIDCIssuer, "nodeRoleArn": c.NodeRoleARN,
		} {
			ctx.Export(name, out)
		}
		return nil
	}
}

func record(t *testing.T, a cluster.Args) *componenttest.Recorder {
	t.Helper()
	r := componenttest.Record(t, program(a),
		componenttest.Outputs(eksCluster, func(componenttest.Resource) map[string]any {
			return map[string]any{
				"id": "acme", "arn": "arn:aws:eks:eu-central-1:210987654321:cluster/acme",
				"endpoint":             "https://acme.eks.example",
				"certificateAuthority": map[string]any{"data": "Y2E="},
			}
		}),
		componenttest.Outputs("eks:index:Cluster", func(componenttest.Resource) map[string]any {
			return map[string]any{
				"eksCluster":      resource.ResourceReference{URN: standIn, ID: resource.NewProperty("acme"), PackageVersion: "6.83.0"},
				"oidcProviderUrl": "https://oidc.eks.example/id/1",
			}
		}),
		componenttest.Outputs("aws:ec2/launchTemplate:LaunchTemplate", func(r componenttest.Resource) map[string]any {
			return map[string]any{"id": "lt-" + r.Name, "latestVersion": 3}
		}))
	r.Resources = slices.DeleteFunc(r.Resources, func(r componenttest.Resource) bool { return r.Name == "stand-in" })
	return r
}

func TestInventory(t *testing.T) {
	componenttest.Golden(t, "cluster.json", record(t, args()).Resources)
}

func TestTheOutputsAreTheClustersOwn(t *testing.T) {
	want := map[string]any{
		"name": "acme", "arn": "arn:aws:eks:eu-central-1:210987654321:cluster/acme", "endpoint": "https://acme.eks.example",
		"ca": "Y2E=", "issuer": "https://oidc.eks.example/id/1", "nodeRoleArn": "arn:aws:iam::210987654321:role/freehold-acme-node",
	}
	if diff := cmp.Diff(want, record(t, args()).Exports); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

func TestTheEndpointAnswersInsideAndToTheListOnly(t *testing.T) {
	endpoint := func(a cluster.Args) map[string]any {
		in := record(t, a).One(t, "eks:index:Cluster", "cluster").Inputs
		return map[string]any{"private": in["endpointPrivateAccess"], "public": in["endpointPublicAccess"], "allow": in["publicAccessCidrs"]}
	}
	private := args()
	private.PublicEndpoint, private.AllowCIDRs = false, nil
	if diff := cmp.Diff(map[string]any{"private": true, "public": false, "allow": nil}, endpoint(private)); diff != "" {
		t.Errorf("private endpoint (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"private": true, "public": true, "allow": []any{"203.0.113.0/24"}}, endpoint(args())); diff != "" {
		t.Errorf("public endpoint (-want +got):\n%s", diff)
	}
}

func TestArgsThatMakeNoSafeClusterAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cluster.Args)
		want   string
	}{
		"a public endpoint for nobody in particular": {func(a *cluster.Args) { a.AllowCIDRs = nil }, "needs ranges"},
		"a public endpoint for everybody":            {func(a *cluster.Args) { a.AllowCIDRs = []string{"203.0.113.0/24", "0.0.0.0/0"} }, "0.0.0.0/0 is everybody"},
		"an identity provider's bare users": {func(a *cluster.Args) {
			a.IdentityProvider = &cluster.IdentityProvider{IssuerURL: "https://login.example.com", ClientID: "k8s", UsernameClaim: "email"}
		}, "needs prefixes"},
		"an identity provider's bare groups": {func(a *cluster.Args) {
			a.IdentityProvider = &cluster.IdentityProvider{
				IssuerURL: "https://login.example.com", ClientID: "k8s", UsernameClaim: "email", UsernamePrefix: "oidc:", GroupsClaim: "groups",
			}
		}, "needs prefixes"},
		"everybody, in IPv6":       {func(a *cluster.Args) { a.AllowCIDRs = []string{"::/0"} }, "::/0 is everybody"},
		"a range that is none":     {func(a *cluster.Args) { a.AllowCIDRs = []string{"203.0.113.0"} }, "allowed range"},
		"no nodes":                 {func(a *cluster.Args) { a.NodePools = nil }, "no node pool"},
		"an add-on at any version": {func(a *cluster.Args) { delete(a.AddonVersions, "coredns") }, "coredns has no version"},
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			c.change(&a)
			_, err := componenttest.Run(program(a))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New: %v, want %q", err, c.want)
			}
		})
	}
}

func TestSecretsAreEncryptedAndEveryLogIsKept(t *testing.T) {
	r := record(t, args())
	in := r.One(t, "eks:index:Cluster", "cluster")
	if in.Inputs["encryptionConfigKeyArn"] != dataKey {
		t.Errorf("secrets are encrypted with %v", in.Inputs["encryptionConfigKeyArn"])
	}
	if diff := cmp.Diff([]any{"api", "audit", "authenticator", "controllerManager", "scheduler"}, in.Inputs["enabledClusterLogTypes"]); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	group := r.One(t, "aws:cloudwatch/logGroup:LogGroup", "cluster-logs").Inputs
	want := map[string]any{"name": "/aws/eks/acme/cluster", "retentionInDays": 365.0, "kmsKeyId": logKey}
	delete(group, "tags")
	if diff := cmp.Diff(want, group); diff != "" {
		t.Errorf("log group (-want +got):\n%s", diff)
	}
	for _, first := range []string{"cluster-logs", "cluster-control-plane-AmazonEKSClusterPolicy", "cluster-control-plane-encrypt-secrets"} {
		if !slices.Contains(in.DependsOn, first) {
			t.Errorf("the cluster does not wait for %s but for %v", first, in.DependsOn)
		}
	}
}

func TestOnlyTheListedRolesHaveAccessAndTheComponentAsksAsTheProvisionRole(t *testing.T) {
	in := record(t, args()).One(t, "eks:index:Cluster", "cluster").Inputs
	entry := func(role, policy, group string) map[string]any {
		return map[string]any{
			"principalArn": "arn:aws:iam::210987654321:role/" + role, "kubernetesGroups": []any{group},
			"accessPolicies": map[string]any{"cluster": map[string]any{
				"policyArn": "arn:aws:eks::aws:cluster-access-policy/" + policy, "accessScope": map[string]any{"type": "cluster"},
			}},
			"tags": map[string]any{"freehold.dev/org": "acme", "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold"},
		}
	}
	want := map[string]any{
		"authenticationMode":     "API",
		"providerCredentialOpts": map[string]any{"roleArn": provision},
		"accessEntries": map[string]any{
			"bootstrap": entry("b", "AmazonEKSClusterAdminPolicy", "freehold:administrators"),
			"read":      entry("r", "AmazonEKSViewPolicy", "freehold:readers"),
		},
	}
	got := map[string]any{}
	for key := range want {
		got[key] = in[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
}

func TestNoSecurityGroupAndNoOIDCProviderIsMade(t *testing.T) {
	r := record(t, args())
	in := r.One(t, "eks:index:Cluster", "cluster").Inputs
	if in["skipDefaultSecurityGroups"] != true || in["createOidcProvider"] != false || in["skipDefaultNodeGroup"] != true {
		t.Errorf("skipDefaultSecurityGroups %v, createOidcProvider %v, skipDefaultNodeGroup %v",
			in["skipDefaultSecurityGroups"], in["createOidcProvider"], in["skipDefaultNodeGroup"])
	}
	if groups := r.Of("aws:ec2/securityGroup:SecurityGroup"); len(groups) > 0 {
		t.Errorf("%s was made", groups[0].Name)
	}
}

func TestNodesRunInPrivateSubnetsOfTheClustersVersion(t *testing.T) {
	for _, g := range record(t, args()).Of("eks:index:ManagedNodeGroup") {
		if diff := cmp.Diff([]any{"subnet-a", "subnet-b"}, g.Inputs["subnetIds"]); diff != "" {
			t.Errorf("%s: subnets (-want +got):\n%s", g.Name, diff)
		}
		if g.Inputs["version"] != "1.35" || g.Inputs["amiId"] != nil {
			t.Errorf("%s: version %v, image %v", g.Name, g.Inputs["version"], g.Inputs["amiId"])
		}
		if diff := cmp.Diff(map[string]any{"id": "lt-" + g.Name, "version": "3"}, g.Inputs["launchTemplate"]); diff != "" {
			t.Errorf("%s: launch template (-want +got):\n%s", g.Name, diff)
		}
	}
}

func TestNodesAnswerMetadataRequestsWithATokenAndToTheHostOnly(t *testing.T) {
	want := map[string]any{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.0, "instanceMetadataTags": "disabled"}
	for _, lt := range record(t, args()).Of("aws:ec2/launchTemplate:LaunchTemplate") {
		if diff := cmp.Diff(want, lt.Inputs["metadataOptions"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", lt.Name, diff)
		}
		if lt.Inputs["networkInterfaces"] != nil || lt.Inputs["imageId"] != nil || lt.Inputs["keyName"] != nil {
			t.Errorf("%s names interfaces, an image or a key: %v", lt.Name, lt.Inputs)
		}
	}
}

func TestEveryDiskIsEncryptedWithTheDataKey(t *testing.T) {
	disks := map[string][]string{}
	for _, lt := range record(t, args()).Of("aws:ec2/launchTemplate:LaunchTemplate") {
		for _, m := range lt.Inputs["blockDeviceMappings"].([]any) {
			mapping := m.(map[string]any)
			ebs := mapping["ebs"].(map[string]any)
			if ebs["encrypted"] != "true" || ebs["kmsKeyId"] != dataKey || ebs["volumeType"] != "gp3" {
				t.Errorf("%s: %v", lt.Name, mapping)
			}
			disks[lt.Name] = append(disks[lt.Name], mapping["deviceName"].(string))
		}
	}
	want := map[string][]string{"cluster-pool-default": {"/dev/xvda"}, "cluster-pool-batch": {"/dev/xvda", "/dev/xvdb"}}
	if diff := cmp.Diff(want, disks); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
}

func TestNetworkPoliciesAreEnforced(t *testing.T) {
	cni, _ := record(t, args()).One(t, "eks:index:Cluster", "cluster").Inputs["vpcCniOptions"].(map[string]any)
	if cni["enableNetworkPolicy"] != true {
		t.Errorf("enableNetworkPolicy is %v", cni["enableNetworkPolicy"])
	}
}

func TestEveryAddonHasItsVersion(t *testing.T) {
	r := record(t, args())
	in := r.One(t, "eks:index:Cluster", "cluster").Inputs
	got := map[string]any{
		"vpc-cni":    in["vpcCniOptions"].(map[string]any)["addonVersion"],
		"kube-proxy": in["kubeProxyAddonOptions"].(map[string]any)["version"],
	}
	if in["corednsAddonOptions"].(map[string]any)["enabled"] != false {
		t.Error("the component makes CoreDNS, which waits for nodes that wait for the component")
	}
	for _, a := range r.Of("aws:eks/addon:Addon") {
		got[a.Inputs["addonName"].(string)] = a.Inputs["addonVersion"]
	}
	want := map[string]any{"vpc-cni": "v1", "kube-proxy": "v2", "coredns": "v3", "aws-ebs-csi-driver": "v4", "eks-pod-identity-agent": "v5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("add-ons (-want +got):\n%s", diff)
	}
}

// Freehold's own tags, and a spec's, without a class that nobody can change.
func TestTheDriverTagsAllVolumesThatItMakes(t *testing.T) {
	a := args()
	a.VolumeTags = map[string]string{"freehold.dev/org": "acme", "team": "core @ friends", "a b": "c=d", "empty": ""}
	got := record(t, a).One(t, "aws:eks/addon:Addon", "cluster-aws-ebs-csi-driver").Inputs["configurationValues"]
	const want = `{"controller":{"extraVolumeTags":{"a b":"c=d","empty":"","freehold.dev/org":"acme","team":"core @ friends"}}}`
	if got != want {
		t.Errorf("settings:\n got %v\nwant %v", got, want)
	}
	a.VolumeTags = nil
	if got := record(t, a).One(t, "aws:eks/addon:Addon", "cluster-aws-ebs-csi-driver").Inputs["configurationValues"]; got != nil {
		t.Errorf("without tags: %v", got)
	}
}

func TestAddonsThatRunOnNodesWaitForThem(t *testing.T) {
	r := record(t, args())
	for name, want := range map[string][]string{
		"cluster-coredns":            {"cluster", "cluster-pool-batch", "cluster-pool-default"},
		"cluster-aws-ebs-csi-driver": {"cluster", "cluster-ebs-csi", "cluster-eks-pod-identity-agent", "cluster-pool-batch", "cluster-pool-default"},
	} {
		got := slices.DeleteFunc(r.One(t, "aws:eks/addon:Addon", name).DependsOn, func(s string) bool { return s == "stand-in" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s waits for (-want +got):\n%s", name, diff)
		}
	}
}

// EKS's order for an upgrade: the control plane, its add-ons, its nodes.
func TestNodesFollowTheAddonsInAnUpgrade(t *testing.T) {
	a := args()
	a.NodesLast = true
	a.IdentityProvider = &cluster.IdentityProvider{IssuerURL: "https://login.example.com", ClientID: "k8s", UsernameClaim: "sub", UsernamePrefix: "oidc:"}
	r := record(t, a)
	addons := []string{"cluster-aws-ebs-csi-driver", "cluster-coredns", "cluster-eks-pod-identity-agent"}
	for _, pool := range []string{"cluster-pool-batch", "cluster-pool-default"} {
		got := r.One(t, "eks:index:ManagedNodeGroup", pool).DependsOn
		for _, before := range append(addons, "cluster") {
			if !slices.Contains(got, before) {
				t.Errorf("%s does not wait for %s, but for %v", pool, before, got)
			}
		}
	}
	for _, addon := range addons {
		for _, on := range r.One(t, "aws:eks/addon:Addon", addon).DependsOn {
			if strings.HasPrefix(on, "cluster-pool-") {
				t.Errorf("%s waits for %s", addon, on)
			}
		}
	}
	if got := r.One(t, "aws:eks/identityProviderConfig:IdentityProviderConfig", "cluster-identity-provider").DependsOn; !slices.Contains(got, "cluster-pool-default") {
		t.Errorf("the identity provider does not come last: it waits for %v", got)
	}
	// What is made is the same: the order alone is another one.
	first := record(t, args())
	for _, made := range first.Resources {
		if diff := cmp.Diff(made.Inputs, r.One(t, made.Type, made.Name).Inputs); diff != "" {
			t.Errorf("%s (-a new cluster +an upgrade):\n%s", made.Name, diff)
		}
	}
}

func TestOnlyTheEBSDriverHasTheRightToMakeVolumes(t *testing.T) {
	r := record(t, args())
	associations := r.Of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
	if len(associations) != 1 {
		t.Fatalf("%d Pod Identity associations, want 1", len(associations))
	}
	in := associations[0].Inputs
	delete(in, "tags")
	want := map[string]any{
		"clusterName": "acme", "namespace": "kube-system", "serviceAccount": "ebs-csi-controller-sa",
		"roleArn": "arn:aws:iam::210987654321:role/freehold-acme-ebs",
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("association (-want +got):\n%s", diff)
	}
}

func TestEveryRoleCarriesTheBoundaryAndTrustsOneService(t *testing.T) {
	trusted := map[string]string{}
	for _, role := range record(t, args()).Of("aws:iam/role:Role") {
		if role.Inputs["permissionsBoundary"] != boundary {
			t.Errorf("%s: boundary %v", role.Name, role.Inputs["permissionsBoundary"])
		}
		text := role.Inputs["assumeRolePolicy"].(string)
		var doc struct {
			Statement []struct{ Principal struct{ Service string } }
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Statement) != 1 {
			t.Fatalf("%s: trust %s: %v", role.Name, text, err)
		}
		trusted[role.Inputs["name"].(string)] = doc.Statement[0].Principal.Service
	}
	want := map[string]string{
		"freehold-acme-cluster": "eks.amazonaws.com", "freehold-acme-node": "ec2.amazonaws.com", "freehold-acme-ebs": "pods.eks.amazonaws.com",
	}
	if diff := cmp.Diff(want, trusted); diff != "" {
		t.Errorf("trust (-want +got):\n%s", diff)
	}
}

func TestEverythingThatTakesTagsHasThem(t *testing.T) {
	has := func(where string, tags any) {
		m, _ := tags.(map[string]any)
		for key, want := range args().Tags {
			if m[key] != want {
				t.Errorf("%s: tag %s is %v", where, key, m[key])
			}
		}
	}
	for _, res := range record(t, args()).Resources {
		if !componenttest.Taggable(res.Type) && !strings.HasPrefix(res.Type, "eks:") {
			continue
		}
		has(res.Type+" "+res.Name, res.Inputs["tags"])
		specs, _ := res.Inputs["tagSpecifications"].([]any)
		for _, s := range specs {
			has(res.Name+" launches", s.(map[string]any)["tags"])
		}
	}
}

func TestEverythingUsesAnExplicitProvider(t *testing.T) {
	for _, res := range record(t, args()).Resources {
		if strings.HasPrefix(res.Type, "aws:") && res.Provider != "org" {
			t.Errorf("%s %s uses provider %q", res.Type, res.Name, res.Provider)
		}
		if strings.HasPrefix(res.Type, "eks:") && res.Provider != "eks" {
			t.Errorf("%s %s uses provider %q", res.Type, res.Name, res.Provider)
		}
	}
}

func TestAnIdentityProviderComesLastAndIsReplacedByWhatFollowsIt(t *testing.T) {
	const typ = "aws:eks/identityProviderConfig:IdentityProviderConfig"
	if none := record(t, args()).Of(typ); len(none) > 0 {
		t.Errorf("without one there is %s", none[0].Name)
	}
	a := args()
	a.IdentityProvider = &cluster.IdentityProvider{
		IssuerURL: "https://login.example.com", ClientID: "k8s", UsernameClaim: "sub", UsernamePrefix: "oidc:",
	}
	r := record(t, a).One(t, typ, "cluster-identity-provider")
	want := map[string]any{
		"clusterName": "acme",
		"oidc": map[string]any{
			"identityProviderConfigName": "acme", "issuerUrl": "https://login.example.com", "clientId": "k8s",
			"usernameClaim": "sub", "usernamePrefix": "oidc:",
		},
		"tags": map[string]any{"freehold.dev/org": "acme", "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold"},
	}
	if diff := cmp.Diff(want, r.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if !r.DeleteBeforeReplace {
		t.Error("the new one would be made before the old one is gone, and a cluster has one")
	}
	// EKS updates the cluster for it, and makes no add-on meanwhile.
	for _, before := range []string{"cluster-coredns", "cluster-aws-ebs-csi-driver"} {
		if !slices.Contains(r.DependsOn, before) {
			t.Errorf("it does not wait for %s, but for %v", before, r.DependsOn)
		}
	}
}
