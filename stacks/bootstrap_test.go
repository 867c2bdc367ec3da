package stacks_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
- name: lab
`

func bootstrapIn(p plan.Plan) stacks.BootstrapIn {
	return stacks.BootstrapIn{
		Plan:       p.Bootstrap,
		Account:    stacks.AccountOut{AccountID: componenttest.Account},
		Boundary:   boundaryOut(),
		Cluster:    stacks.ClusterOut{Name: p.Cluster.Name, ARN: "arn:aws:eks:eu-central-1:210987654321:cluster/acme"},
		Kubeconfig: "kind: Config\n",
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
projectSource: {url: "https://freehold.example.com:8443/v1/orgs/acme/projects", interval: 30s}
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
		"kubeconfig": "kind: Config\n", "clusterIdentifier": "arn:aws:eks:eu-central-1:210987654321:cluster/acme", "enableServerSideApply": true,
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
