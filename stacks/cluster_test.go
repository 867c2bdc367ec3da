package stacks_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/stacks"
)

const role = "arn:aws:iam::" + componenttest.Account + ":role/"

func boundaryOut() stacks.BoundaryOut {
	return stacks.BoundaryOut{
		BoundaryARN:      "arn:aws:iam::" + componenttest.Account + ":policy/freehold-acme-boundary",
		ProvisionRoleARN: role + "freehold-acme-provision",
		ReadRoleARN:      role + "freehold-acme-read",
		BootstrapRoleARN: role + "freehold-acme-bootstrap",
		OffboardRoleARN:  role + "freehold-acme-offboard",
		DataKeyARN:       "arn:aws:kms:" + componenttest.Region + ":" + componenttest.Account + ":key/data",
		LogKeyARN:        "arn:aws:kms:" + componenttest.Region + ":" + componenttest.Account + ":key/log",
		ControllerRepository: componenttest.Account + ".dkr.ecr." + componenttest.Region +
			".amazonaws.com/freehold-acme/namespace-controller",
	}
}

// planned is the plan for an org that asks for what the document adds.
func planned(t *testing.T, org, more string) plan.Plan {
	t.Helper()
	text := "apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: " + org + "\nregion: " + componenttest.Region +
		"\naccount:\n  email: aws@example.com\n" + more
	doc, err := spec.Parse(org+".yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return plan.Build(doc)
}

func clusterIn(p plan.Plan) stacks.ClusterIn {
	return stacks.ClusterIn{
		Plan:       p.Cluster,
		Account:    stacks.AccountOut{AccountID: componenttest.Account},
		Boundary:   boundaryOut(),
		ExternalID: p.Boundary.ExternalID,
	}
}

// runCluster runs the cluster layer with a stand-in for the EKS cluster that
// the eks component would make: mocks run no component of a plugin.
func runCluster(t *testing.T, in stacks.ClusterIn) *componenttest.Recorder {
	t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	const eksCluster = "aws:eks/cluster:Cluster"
	standIn := resource.URN("urn:pulumi:acme.test::freehold::" + eksCluster + "::stand-in")
	program := func(ctx *pulumi.Context) error {
		s, err := awseks.NewCluster(ctx, "stand-in", &awseks.ClusterArgs{
			Name: pulumi.String(in.Plan.Name), RoleArn: pulumi.String("r"), VpcConfig: awseks.ClusterVpcConfigArgs{SubnetIds: pulumi.StringArray{}},
		})
		if err != nil {
			return err
		}
		if _, err := internals.UnsafeAwaitOutput(ctx.Context(), s.URN()); err != nil {
			return err
		}
		return stacks.Program(plan.LayerCluster)(ctx)
	}
	r := componenttest.Record(t, program, componenttest.Config(stacks.ConfigKey, string(text)),
		componenttest.Outputs(eksCluster, func(componenttest.Resource) map[string]any {
			return map[string]any{
				"id":                   in.Plan.Name,
				"arn":                  "arn:aws:eks:" + componenttest.Region + ":" + componenttest.Account + ":cluster/" + in.Plan.Name,
				"endpoint":             "https://acme.eks.example",
				"certificateAuthority": map[string]any{"data": "Y2E="},
			}
		}),
		componenttest.Outputs("eks:index:Cluster", func(componenttest.Resource) map[string]any {
			return map[string]any{
				"eksCluster":      resource.ResourceReference{URN: standIn, ID: resource.NewProperty(in.Plan.Name)},
				"oidcProviderUrl": "https://oidc.eks.example/id/1",
			}
		}))
	r.Resources = slices.DeleteFunc(r.Resources, func(r componenttest.Resource) bool { return r.Name == "stand-in" })
	return r
}

// oneRole is a project one of whose service accounts has a role.
const oneRole = `
projects:
- name: shop
  serviceAccounts:
  - {name: worker}
  - name: uploader
    podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "arn:aws:iam::aws:policy/service-role/AmazonEFSCSIDriverPolicy"]}
`

// people is an identity provider with groups.
const people = `
cluster:
  identityProvider:
    issuerUrl: https://login.example.com/acme
    clientId: kubernetes
    usernameClaim: email
    usernamePrefix: "acme:"
    groupsClaim: groups
    groupsPrefix: "acme#"
    requiredClaims: {hd: example.com}
`

func TestTheClusterLayersInventory(t *testing.T) {
	in := clusterIn(planned(t, "acme", people+oneRole))
	r := runCluster(t, in)
	componenttest.Golden(t, "cluster.json", r.Resources)

	out, err := stacks.Decode[stacks.ClusterOut](r.Exports)
	want := stacks.ClusterOut{
		Name:                 in.Plan.Name,
		ARN:                  "arn:aws:eks:" + componenttest.Region + ":" + componenttest.Account + ":cluster/" + in.Plan.Name,
		Endpoint:             "https://acme.eks.example",
		CertificateAuthority: "Y2E=",
		OIDCIssuer:           "https://oidc.eks.example/id/1",
		VPCID:                "vpc-network",
		PrivateSubnetIDs: []string{
			"subnet-network-private-eu-central-1a", "subnet-network-private-eu-central-1b", "subnet-network-private-eu-central-1c",
		},
		NodeRoleARN:     role + in.Plan.NodeRole,
		ProjectRoleARNs: map[string]string{"shop/uploader": role + "freehold-acme-pod-shop.uploader"},
	}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("Out: error %v (-want +got):\n%s", err, diff)
	}
}

func TestTheClusterLayerActsAsTheProvisionRoleOfItsAccountOnly(t *testing.T) {
	in := clusterIn(planned(t, "acme", ""))
	provider := runCluster(t, in).One(t, "pulumi:providers:aws", "org").Inputs
	want := map[string]any{
		"region": componenttest.Region, "allowedAccountIds": []any{componenttest.Account},
		"assumeRole": map[string]any{
			"roleArn": role + "freehold-acme-provision", "externalId": in.ExternalID, "sessionName": "freehold-acme-cluster",
		},
	}
	got := map[string]any{}
	for key := range want {
		got[key] = provider[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("provider (-want +got):\n%s", diff)
	}
}

func TestEveryPartOfAClustersSpecReachesItsComponent(t *testing.T) {
	p := planned(t, "acme", `
network:
  nat: none
cluster:
  endpoint: {access: public, allow: [203.0.113.0/24]}
  nodePools:
  - name: default
  - name: gpu
    instanceTypes: [m7g.large]
    capacity: spot
    min: 1
    max: 3
    desired: 2
    diskGiB: 80
    amiFamily: Bottlerocket
    labels: {work: batch}
    taints: [{key: batch, value: only, effect: NoSchedule}]
`)
	r := runCluster(t, clusterIn(p))
	eks := r.One(t, "eks:index:Cluster", "cluster").Inputs
	if diff := cmp.Diff([]any{"203.0.113.0/24"}, eks["publicAccessCidrs"]); diff != "" || eks["endpointPublicAccess"] != true {
		t.Errorf("endpoint: public %v (-want +got):\n%s", eks["endpointPublicAccess"], diff)
	}
	pool := r.One(t, "eks:index:ManagedNodeGroup", "cluster-pool-gpu").Inputs
	want := map[string]any{
		"amiType": "BOTTLEROCKET_ARM_64", "capacityType": "SPOT", "instanceTypes": []any{"m7g.large"},
		"labels":        map[string]any{"work": "batch"},
		"taints":        []any{map[string]any{"key": "batch", "value": "only", "effect": "NO_SCHEDULE"}},
		"scalingConfig": map[string]any{"minSize": 1.0, "maxSize": 3.0, "desiredSize": 2.0},
	}
	got := map[string]any{}
	for key := range want {
		got[key] = pool[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("node pool (-want +got):\n%s", diff)
	}
	if nats := r.Of("aws:ec2/natGateway:NatGateway"); len(nats) > 0 {
		t.Errorf("NAT none made %s", nats[0].Name)
	}
}

// Names grow with the org, and AWS limits both names and policies.
func TestTheLongestOrgsClusterFitsAWSsLimits(t *testing.T) {
	p := planned(t, strings.Repeat("o", 40), oneRole)
	in := clusterIn(p)
	// The provision role attaches pods' policies to roles of this prefix only.
	if got, prefix := in.Plan.ProjectRoles[0].Role, p.Boundary.RolePrefix+"pod-"; !strings.HasPrefix(got, prefix) {
		t.Errorf("role %s does not begin with %s", got, prefix)
	}
	for _, res := range runCluster(t, in).Resources {
		if name, _ := res.Inputs["name"].(string); res.Type == "aws:iam/role:Role" && (name == "" || len(name) > 64) {
			t.Errorf("%s: role name %q of %d characters", res.Name, name, len(name))
		}
		for property, limit := range map[string]int{"assumeRolePolicy": iam.MaxTrust, "policy": iam.MaxInline} {
			if text, _ := res.Inputs[property].(string); len(text) > limit {
				t.Errorf("%s %s: %s of %d characters, limit %d", res.Type, res.Name, property, len(text), limit)
			}
		}
	}
}
