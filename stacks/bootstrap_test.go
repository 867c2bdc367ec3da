package stacks_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

const twoProjects = `
tags: {team: "core @ friends"}
projects:
- name: shop
  quota: {cpu: "8", gpus: 1}
  members: [{group: devs, role: editor}, {user: ada@acme.example, role: admin}]
  egress: [{cidr: 198.51.100.0/24, ports: [443]}]
  serviceAccounts: [{name: worker}, {name: uploader, podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}}]
- name: lab
`

// kubeconfig is one that Freehold hands the layer.
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: acme, cluster: {server: "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"}}]
contexts: [{name: acme, context: {cluster: acme, user: acme}}]
current-context: acme
users: [{name: acme, user: {exec: {command: /usr/local/bin/freehold, args: [eks-token, --region, eu-central-1, --cluster, acme]}}}]
`

func bootstrapIn(p plan.Plan) stacks.BootstrapIn {
	return stacks.BootstrapIn{
		Plan:     p.Bootstrap,
		Account:  stacks.AccountOut{AccountID: componenttest.Account},
		Boundary: boundaryOut(),
		Cluster: stacks.ClusterOut{
			Name: p.Cluster.Name, ARN: "arn:aws:eks:eu-central-1:210987654321:cluster/acme",
			ProjectRoleARNs: map[string]string{"shop/uploader": role + "made-by-the-cluster-layer"},
		},
		Kubeconfig: kubeconfig,
	}
}

func TestTheBootstrapLayersInventory(t *testing.T) {
	in := bootstrapIn(planned(t, "acme", twoProjects))
	r := runLayer(t, plan.LayerBootstrap, in)
	for _, res := range r.Resources {
		if strings.HasSuffix(res.Type, ":CustomResourceDefinition") {
			res.Inputs["spec"] = "as in project-crd.yaml"
		}
	}
	componenttest.Golden(t, "bootstrap.json", r.Resources)

	out, err := stacks.Decode[stacks.BootstrapOut](r.Exports)
	want := stacks.BootstrapOut{
		Namespace:       "freehold-system",
		ControllerImage: in.Boundary.ControllerRepository + "@" + in.Plan.ControllerDigest,
		Projects:        []string{"shop", "lab"},
	}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("Out: error %v (-want +got):\n%s", err, diff)
	}
}

func TestTheBootstrapLayersInventoryWithASourceOfProjects(t *testing.T) {
	const source = `
projectSource: {url: "https://acme.freehold.example.com:8443/v1/projects", interval: 30s}
`
	r := runLayer(t, plan.LayerBootstrap, bootstrapIn(planned(t, "acme", twoProjects+source)))
	for _, res := range r.Resources {
		if strings.HasSuffix(res.Type, ":CustomResourceDefinition") {
			res.Inputs["spec"] = "as in project-crd.yaml"
		}
	}
	componenttest.Golden(t, "bootstrap-source.json", r.Resources)
}

func TestAClusterThatDoesNotAnswerIsNotTakenForGone(t *testing.T) {
	provider := runLayer(t, plan.LayerBootstrap, bootstrapIn(planned(t, "acme", ""))).One(t, "pulumi:providers:kubernetes", "cluster").Inputs
	want := map[string]any{
		"kubeconfig": kubeconfig, "clusterIdentifier": "arn:aws:eks:eu-central-1:210987654321:cluster/acme", "enableServerSideApply": true,
	}
	if diff := cmp.Diff(want, provider); diff != "" {
		t.Errorf("provider (-want +got):\n%s", diff)
	}
}

// A label takes less than a tag does, and an object with a bad one is refused.
func TestEveryLabelIsOneThatKubernetesTakes(t *testing.T) {
	value := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	for _, res := range runLayer(t, plan.LayerBootstrap, bootstrapIn(planned(t, strings.Repeat("o", 40), twoProjects))).Resources {
		meta, _ := res.Inputs["metadata"].(map[string]any)
		labels, _ := meta["labels"].(map[string]any)
		if strings.HasPrefix(res.Type, "kubernetes:") && len(labels) == 0 {
			t.Errorf("%s %s has no labels", res.Type, res.Name)
		}
		for key, v := range labels {
			if text, _ := v.(string); !value.MatchString(text) {
				t.Errorf("%s %s: label %s is %q", res.Type, res.Name, key, text)
			}
		}
	}
}

// A run that would give pods a role that nobody made must not pass for one that did.
func TestAProjectsRoleIsTheOneThatTheClusterLayerMade(t *testing.T) {
	in := bootstrapIn(planned(t, "acme", twoProjects))
	in.Cluster.ProjectRoleARNs = nil
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	run := func(preview bool) error {
		return pulumi.RunErr(stacks.Program(plan.LayerBootstrap), pulumi.WithMocks("freehold", "acme.test", nothing{}), func(i *pulumi.RunInfo) {
			i.Config, i.DryRun = map[string]string{stacks.ConfigKey: string(text)}, preview
		})
	}
	if err := run(false); err == nil || !strings.Contains(err.Error(), "no role for service account shop/uploader") {
		t.Errorf("a run without the role: %v", err)
	}
	if err := run(true); err != nil {
		t.Errorf("a preview before the cluster layer made the role: %v", err)
	}
}

// nothing is a cloud that makes what it is asked for.
type nothing struct{}

func (nothing) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (nothing) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }
