package lifecycle

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
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

// No layer declares the entry of nodes, so that the engine does not miss it.
func TestAMissingAccessEntryOfNodesIsDriftAndPlannedUntilItIsMadeAgain(t *testing.T) {
	p := onboarded(t)
	_, layers := p.org("acme")
	nodes, _ := layers[string(plan.LayerCluster)].Outputs["nodeRoleArn"].(string)
	p.world.Shut(nodes)
	found := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)).Findings
	if d := cmp.Diff([]string{string(finding.Missing) + " aws:eks/accessEntry:AccessEntry " + nodes}, observed(found)); d != "" {
		t.Errorf("drift (-want +got):\n%s", d)
	}
	planned := must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{}, nil)).Changes
	want := []event.Change{{Layer: "cluster", Op: "create", Type: "aws:eks/accessEntry:AccessEntry", Name: nodes}}
	if d := cmp.Diff(want, planned); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	if left := observed(must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)).Findings); len(left) > 0 {
		t.Errorf("drift after onboard: %v", left)
	}
}

// Every role of the org trusts the unique id of the provisioner, and not its name.
func TestAProvisionerThatWasMadeAnewGetsInAgainWithOnboard(t *testing.T) {
	p := onboarded(t, "projects: ["+shop+"]")
	p.world.ReincarnateProvisioner()
	found := observed(must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)).Findings)
	if n := len(slices.DeleteFunc(slices.Clone(found), func(f string) bool { return !strings.HasPrefix(f, string(finding.Changed)+" "+awstype.IAMRole) })); n != 4 {
		t.Errorf("drift has %d changed roles: %q", n, found)
	}

	planned := must[event.Plan](t)(p.here().Plan(t.Context(), document(t, "projects: ["+shop+"]"), PlanOptions{Prune: true}, nil))
	var states []string
	for _, l := range planned.Layers {
		states = append(states, l.Layer+" "+l.State)
	}
	if d := cmp.Diff([]string{"account done", "boundary done", "cluster not-started"}, states[:3]); d != "" || len(planned.Changes) != 4 {
		t.Errorf("planned %+v; layers (-want +got):\n%s", planned.Changes, d)
	}
	if !slices.ContainsFunc(planned.Notes, func(n string) bool {
		return strings.Contains(n, "layer cluster cannot be looked at before the boundary layer's roles") && strings.Contains(n, "AccessDenied")
	}) || planned.Prune != nil {
		t.Errorf("prunes %v, notes: %q", planned.Prune, planned.Notes)
	}

	must[event.Onboarding](t)(p.here().onboard(document(t, "projects: ["+shop+"]")))
	if left := observed(must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)).Findings); len(left) > 0 {
		t.Errorf("drift after onboard: %v", left)
	}
}
