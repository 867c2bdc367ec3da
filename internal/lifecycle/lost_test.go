package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

// lostCluster is acme after somebody removed its cluster, and all in it.
func lostCluster(t *testing.T) *place {
	t.Helper()
	p := onboarded(t, "projects: ["+shop+"]")
	arn := ""
	for _, thing := range p.world.Things(eksCluster) {
		arn = thing.ARN
	}
	for _, thing := range p.world.Things("") {
		if thing.Where == arn {
			p.world.Take(thing.Type, thing.ID)
		}
	}
	p.world.Take(eksCluster, "freehold-acme")
	return p
}

func (p *place) inCluster() int {
	n := 0
	for _, thing := range p.world.Things("") {
		if strings.HasPrefix(thing.Type, "kubernetes:") {
			n++
		}
	}
	return n
}

func TestAClusterThatWasLostIsMadeAgainWithAllThatIsInIt(t *testing.T) {
	start := lostCluster(t)
	doc := document(t, "projects: ["+shop+"]")
	had := onboarded(t, "projects: ["+shop+"]").inCluster()

	found := must[event.Drift](t)(start.here().Drift(t.Context(), "acme", nil))
	missing := slices.ContainsFunc(found.Findings, func(f finding.Finding) bool {
		return f.Kind == finding.Missing && f.Layer == "bootstrap" && strings.Contains(f.Message, "cluster freehold-acme is gone")
	})
	if !missing || !found.Drifted() || !found.Complete() {
		t.Errorf("drift: %v", observed(found.Findings))
	}
	planned := must[event.Plan](t)(start.here().Plan(t.Context(), doc, PlanOptions{}, nil))
	if planned.Layers[3].State != dataplane.NotStarted || !slices.ContainsFunc(planned.Notes, func(n string) bool { return strings.Contains(n, "is gone") }) {
		t.Errorf("plan: %+v, notes %q", planned.Layers, planned.Notes)
	}

	whole := start.copied(t)
	proc := whole.here()
	must[event.Onboarding](t)(proc.onboard(doc))
	said := slices.ContainsFunc(proc.shown, func(ev event.Event) bool {
		return ev.Type == event.Diagnostic && strings.Contains(ev.Message, "is another one than the layer was made in")
	})
	if got := whole.states("acme"); got != allDone || whole.inCluster() != had || !said {
		t.Errorf("layers %s, %d objects, want %d; it said so: %t", got, whole.inCluster(), had, said)
	}
	if again := must[event.Onboarding](t)(whole.here().onboard(doc)); again.Changed {
		t.Errorf("the next run changed %+v", again.Layers)
	}
	for n := range proc.Writes() {
		p := start.copied(t)
		killed := p.here()
		killed.KillAfter(n + 1)
		_, _ = killed.onboard(doc)
		if before := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)); p.inCluster() < had && !before.Drifted() && before.Complete() && p.states("acme") == allDone {
			t.Fatalf("killed after %d writes, %s: drift finds nothing", n+1, proc.Writes()[n])
		}
		must[event.Onboarding](t)(p.here().onboard(doc))
		after := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
		if got := p.states("acme"); got != allDone || p.inCluster() != had || observed(after.Findings) != nil {
			t.Fatalf("killed after %d writes, %s: layers %s, %d objects, drift %v", n+1, proc.Writes()[n], got, p.inCluster(), observed(after.Findings))
		}
	}
}

func TestAnOrgWhoseClusterWasLostIsOffboarded(t *testing.T) {
	start := lostCluster(t)
	whole := start.copied(t).here()
	must[event.Offboarding](t)(whole.offboard("acme"))
	if !slices.ContainsFunc(whole.shown, func(ev event.Event) bool { return strings.HasPrefix(ev.Message, "cluster freehold-acme is gone: ") }) {
		t.Error("it does not say that the cluster is gone")
	}
	for n := range whole.Writes() {
		p := start.copied(t)
		killed := p.here()
		killed.KillAfter(n + 1)
		_, _ = killed.offboard("acme")
		out := must[event.Offboarding](t)(p.here().offboard("acme"))
		if p.states("acme") != allRemoved || len(out.Left) > 0 || !out.AccountClosed {
			t.Fatalf("killed after %d writes, %s: layers %s, left %v", n+1, whole.Writes()[n], p.states("acme"), out.Left)
		}
	}
}

func TestAClusterThatCannotBeAskedForIsNotTakenForLost(t *testing.T) {
	p := lostCluster(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Running, Err: errors.New("no answer")})
	before := p.world.Things("")
	if _, err := p.here().offboard("acme"); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("offboard: %v", err)
	}
	if after := p.world.Things(""); len(after) != len(before) {
		t.Errorf("%d things before, %d after", len(before), len(after))
	}
}
