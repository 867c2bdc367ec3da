package lifecycle

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// The boundary's roles were made anew behind the cluster's access entries: drift
// says so, and onboard lets the roles in again.
func TestAccessEntriesOfRolesThatWereMadeAnewAreDriftUntilTheyAreMadeAnewToo(t *testing.T) {
	p := onboarded(t)
	_, layers := p.org("acme")
	role := func(output string) string {
		s, _ := layers[string(plan.LayerBoundary)].Outputs[output].(string)
		return s
	}
	bootstrap, provision := role("bootstrapRoleArn"), role("provisionRoleArn")
	nodes, _ := layers[string(plan.LayerCluster)].Outputs["nodeRoleArn"].(string)
	p.world.Reincarnate(bootstrap, provision, nodes)
	found := func() []string {
		t.Helper()
		out := observed(must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)).Findings)
		slices.Sort(out)
		return out
	}
	const entry = string(finding.Changed) + " aws:eks/accessEntry:AccessEntry "
	want := []string{entry + bootstrap, entry + nodes, entry + provision}
	slices.Sort(want)
	if d := cmp.Diff(want, found()); d != "" {
		t.Errorf("drift (-want +got):\n%s", d)
	}
	planned := map[string]string{}
	for _, c := range must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{}, nil)).Changes {
		planned[c.Name] = c.Op
	}
	if d := cmp.Diff(map[string]string{bootstrap: "replace", nodes: "replace", provision: "delete"}, planned); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}

	proc := p.here()
	must[event.Onboarding](t)(proc.onboard(document(t)))
	said := 0
	for _, ev := range proc.shown {
		if ev.ResourceType == "aws:eks/accessEntry:AccessEntry" && ev.Type == event.Diagnostic {
			said++
		}
	}
	if said != 3 {
		t.Errorf("it says %d times that an entry was made anew, or removed", said)
	}
	if got := found(); got != nil {
		t.Errorf("drift after it: %v", got)
	}
}
