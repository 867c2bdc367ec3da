package lifecycle

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

const controllerType = "kubernetes:apps/v1:Deployment"

// tampered is acme with a field added to the controller's Deployment and, where
// its cluster is to be protected, without that.
func tampered(t *testing.T, protected bool) *place {
	t.Helper()
	p := onboarded(t, "deletionProtection: "+map[bool]string{true: "true", false: "false"}[protected])
	p.world.Edit(controllerType, "namespace-controller", func(thing *lifecycletest.Thing) {
		thing.Added = map[string]any{"spec.template.spec.containers[0].env[2]": map[string]any{"name": "EVIL", "value": "1"}}
	})
	p.world.Edit(eksCluster, "freehold-acme", func(thing *lifecycletest.Thing) { thing.Inputs["deletionProtection"] = !protected })
	return p
}

// hidden are the lines of what the engine's refresh does not see.
func hidden(protected bool) []string {
	setting := map[bool]string{true: "true", false: "false"}
	return []string{
		"changed " + eksCluster + " cluster: deletionProtection " + setting[protected] + " -> " + setting[!protected],
		`changed ` + controllerType + ` bootstrap-namespace-controller: spec.template.spec.containers[0].env[2]  -> {"name":"EVIL","value":"1"}`,
	}
}

func TestWhatTheEngineDoesNotSeeIsFoundPlannedAndPutBack(t *testing.T) {
	for _, protected := range []bool{false, true} {
		p := tampered(t, protected)
		doc := document(t, "deletionProtection: "+map[bool]string{true: "true", false: "false"}[protected])
		found := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
		named := func(lines []string) []string {
			for i := range lines {
				lines[i] = strings.Replace(lines[i], eksCluster+" freehold-acme", eksCluster+" cluster", 1)
			}
			return lines
		}
		if d := cmp.Diff(hidden(protected), named(observed(found.Findings))); d != "" || !found.Drifted() || !found.Complete() {
			t.Errorf("drift (-want +got):\n%s", d)
		}

		planner := p.here()
		planned := must[event.Plan](t)(planner.Plan(t.Context(), doc, PlanOptions{}, nil))
		var changes []string
		for _, c := range planned.Changes {
			changes = append(changes, c.Layer+" "+c.Op+" "+c.Properties[0].Path)
		}
		want := []string{"cluster update deletionProtection", "bootstrap update spec.template.spec.containers[0].env[2]"}
		if d := cmp.Diff(want, changes); d != "" || !planned.Different() || len(planner.Writes()) > 0 {
			t.Errorf("plan (-want +got):\n%s; it wrote %v", d, planner.Writes())
		}
		for _, l := range planned.Layers[2:] {
			if l.Changes["update"] != 1 {
				t.Errorf("layer %s counts %v", l.Layer, l.Changes)
			}
		}

		proc := p.here()
		out := must[event.Onboarding](t)(proc.onboard(doc))
		if d := cmp.Diff(hidden(protected), named(observed(out.PutBack))); d != "" || !out.Changed {
			t.Errorf("put back (-want +got):\n%s; changed: %t", d, out.Changed)
		}
		said := slices.ContainsFunc(proc.shown, func(ev event.Event) bool {
			return ev.Type == event.ResourceFinished && strings.Contains(ev.Message, "put back: spec.template.spec.containers[0].env[2] (field managers on record: kubectl-edit)")
		})
		if set := slices.ContainsFunc(proc.shown, func(ev event.Event) bool { return strings.HasPrefix(ev.Message, "set deletionProtection: ") }); !said || !set {
			t.Errorf("it said so: %t, %t", said, set)
		}
		again := must[event.Onboarding](t)(p.here().onboard(doc))
		after := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
		if again.Changed || len(again.PutBack) > 0 || observed(after.Findings) != nil {
			t.Errorf("afterwards, onboard put back %v, and drift finds %v", observed(again.PutBack), observed(after.Findings))
		}
	}
}

func TestWhatIsPutBackIsPutBackWheneverTheRunIsKilled(t *testing.T) {
	start := tampered(t, false)
	doc := document(t)
	whole := start.copied(t).here()
	must[event.Onboarding](t)(whole.onboard(doc))
	for n := range whole.Writes() {
		p := start.copied(t)
		killed := p.here()
		killed.KillAfter(n + 1)
		_, _ = killed.onboard(doc)
		must[event.Onboarding](t)(p.here().onboard(doc))
		if got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)); observed(got.Findings) != nil {
			t.Fatalf("killed after %d writes, %s: left is %v", n+1, whole.Writes()[n], observed(got.Findings))
		}
	}
}

// The API server lets nobody change whom a binding's role is, so an update of one
// that somebody made again is refused. It holds nothing, and is made again once more.
func TestWhatWasMadeAgainAndNoUpdateCanChangeBackIsPlannedAndPutBack(t *testing.T) {
	const bindingType = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
	start := onboarded(t)
	start.world.Edit(bindingType, "freehold-namespace-controller", func(thing *lifecycletest.Thing) {
		thing.Added = map[string]any{"roleRef.name": "cluster-admin"}
	})
	doc := document(t)
	want := []string{"changed " + bindingType + " bootstrap-namespace-controller: roleRef.name  -> \"cluster-admin\""}

	planned := must[event.Plan](t)(start.copied(t).here().Plan(t.Context(), doc, PlanOptions{}, nil))
	if len(planned.Changes) != 1 || planned.Changes[0].Type != bindingType || planned.Changes[0].Properties[0].Path != "roleRef.name" || !planned.Different() {
		t.Errorf("plan: %+v", planned.Changes)
	}
	whole := start.copied(t)
	proc := whole.here()
	out := must[event.Onboarding](t)(proc.onboard(doc))
	if d := cmp.Diff(want, observed(out.PutBack)); d != "" || !out.Changed {
		t.Errorf("put back (-want +got):\n%s; changed: %t", d, out.Changed)
	}
	if got := must[event.Drift](t)(whole.here().Drift(t.Context(), "acme", nil)); observed(got.Findings) != nil {
		t.Errorf("left is %v", observed(got.Findings))
	}
	at := slices.IndexFunc(proc.Writes(), func(w lifecycletest.Write) bool { return w.What == "put back" })
	for _, n := range []int{at, at + 1, at + 2} {
		p := start.copied(t)
		killed := p.here()
		killed.KillAfter(n)
		_, _ = killed.onboard(doc)
		must[event.Onboarding](t)(p.here().onboard(doc))
		if got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)); observed(got.Findings) != nil {
			t.Fatalf("killed after %d writes: left is %v", n, observed(got.Findings))
		}
	}
}

func TestWhatCannotBeReadBesideARefreshIsNotNoDrift(t *testing.T) {
	for reason, fault := range map[string]lifecycletest.Fault{
		"bootstrap": {On: lifecycletest.Objects, Err: errors.New("no answer")},
		"cluster":   {On: lifecycletest.Running, Err: errors.New("no answer")},
	} {
		t.Run(reason, func(t *testing.T) {
			p := tampered(t, false)
			p.world.Fail(fault)
			got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
			// The layers are read side by side, and two of them ask about the cluster.
			unread := slices.ContainsFunc(got.Findings, func(f finding.Finding) bool {
				return f.Kind == finding.Unreadable && (f.Layer == reason || reason == "cluster" && f.Layer == "bootstrap")
			})
			if !unread || got.Complete() {
				t.Errorf("found %v", observed(got.Findings))
			}
		})
	}
}

// What is set beside the stacks has one place: a call that is in neither list
// has to be looked at by whoever adds it.
func TestEveryCallOfTheCloudIsKnownToReadOrIsListedAsWhatItSets(t *testing.T) {
	reads := []string{"Identity", "CheckRelease", "Find", "Usable", "Quotas", "Inventory", "Running", "Kubeconfig", "RegionEnabled", "Zones", "NodeGroup", "StaleEntries", "Shares", "Limits"}
	for call := range reflect.TypeFor[Cloud]().Methods() {
		name := call.Name
		if _, sets := besideStacks[name]; sets == slices.Contains(reads, name) {
			t.Errorf("%s: in besideStacks: %t, among the reads: %t", name, sets, !sets)
		}
	}
	listed := 0
	for _, what := range besideStacks {
		if strings.HasPrefix(what, "setting: ") {
			listed++
		}
	}
	if listed != len(settings) {
		t.Errorf("%d calls set what stays, and %d settings are compared", listed, len(settings))
	}
}

// A refresh shows of an object what its program asked for, and the rules are
// asked about all that is there.
func TestTheRulesAreAskedAboutObjectsAsTheyAre(t *testing.T) {
	broken := func(found event.Drift) []string {
		var out []string
		for _, f := range found.Findings {
			if f.Kind == finding.Violated && f.Policy.Rule == "FH901" {
				out = append(out, f.Type+" "+f.ID+" "+f.Policy.Path)
			}
		}
		return out
	}
	p := onboarded(t)
	if got := broken(must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))); got != nil {
		t.Fatalf("before anybody did anything: %v", got)
	}
	p.world.Edit(controllerType, "namespace-controller", func(thing *lifecycletest.Thing) {
		thing.Added = map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"hostNetwork": true}}}}
	})
	got := broken(must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)))
	if d := cmp.Diff([]string{controllerType + " namespace-controller spec.template.spec.hostNetwork"}, got); d != "" {
		t.Errorf("the controller was given its node's network (-want +got):\n%s", d)
	}
}
