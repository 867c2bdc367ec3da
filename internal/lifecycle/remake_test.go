package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

const classType = "kubernetes:storage.k8s.io/v1:StorageClass"

// retagged is acme, and a document by which its class would be another one: it
// has the tags that the EBS driver cannot be told, and nobody can change those.
func retagged(t *testing.T) (*place, string) {
	t.Helper()
	return onboarded(t, "tags: {team: core, city: Köln}"), "tags: {team: más, street: ß}"
}

func makesWay(w lifecycletest.Write) bool { return w.What == "make way" }

func TestWhatNobodyCanChangeIsPlannedAndMadeAnew(t *testing.T) {
	p, tags := retagged(t)
	planner := p.here()
	planned := must[event.Plan](t)(planner.Plan(t.Context(), document(t, tags), PlanOptions{}, nil))
	at := slices.IndexFunc(planned.Changes, func(c event.Change) bool { return c.Type == classType })
	if at < 0 || len(planner.Writes()) > 0 {
		t.Fatalf("plan: %+v; it wrote %v", planned.Changes, planner.Writes())
	}
	var paths []string
	for _, d := range planned.Changes[at].Properties {
		paths = append(paths, d.Path)
	}
	if d := cmp.Diff([]string{"parameters.city", "parameters.street", "parameters.team"}, paths); d != "" || planned.Changes[at].Op != "replace" {
		t.Errorf("plan of the class, %s (-want +got):\n%s", planned.Changes[at].Op, d)
	}
	layer := planned.Layers[len(planned.Layers)-1]
	if layer.State != "done" || layer.Changes["replace"] != 1 {
		t.Errorf("plan of the layer: %+v", layer)
	}

	proc := p.here()
	out := must[event.Onboarding](t)(proc.onboard(document(t, tags)))
	if n := len(slices.DeleteFunc(slices.Clone(proc.Writes()), func(w lifecycletest.Write) bool { return !makesWay(w) })); n != 1 || !out.Changed {
		t.Errorf("%d objects made way; changed: %t", n, out.Changed)
	}
	if got := out.Layers[len(out.Layers)-1].Changes; got["replace"] != 1 || got["create"] != 0 {
		t.Errorf("onboard counts %v", got)
	}
	said := slices.ContainsFunc(proc.shown, func(ev event.Event) bool {
		return ev.ResourceType == classType && strings.Contains(ev.Message, "to be made anew: Kubernetes lets nobody change parameters.city, parameters.street, parameters.team")
	})
	if !said {
		t.Error("it did not say so")
	}
	again := p.here()
	if out := must[event.Onboarding](t)(again.onboard(document(t, tags))); out.Changed || slices.ContainsFunc(again.Writes(), makesWay) {
		t.Errorf("once more: %+v", out.Layers)
	}
	if got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)); observed(got.Findings) != nil {
		t.Errorf("drift afterwards: %v", observed(got.Findings))
	}
}

func TestWhatIsMadeAnewIsThereWheneverTheRunIsKilled(t *testing.T) {
	start, tags := retagged(t)
	whole := start.copied(t)
	proc := whole.here()
	must[event.Onboarding](t)(proc.onboard(document(t, tags)))
	at := slices.IndexFunc(proc.Writes(), makesWay)
	for n := at - 3; n < at+8; n++ {
		p := start.copied(t)
		killed := p.start(lifecycletest.Machine{Name: "a"})
		killed.KillAfter(n)
		_, _ = killed.onboard(document(t, tags))
		must[event.Onboarding](t)(p.here().onboard(document(t, tags)))
		lifecycletest.Same(t, whole.world, p.world)
		if got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil)); observed(got.Findings) != nil {
			t.Fatalf("killed after %d writes: left is %v", n, observed(got.Findings))
		}
	}
}

// What would stop the run that follows must be found before the object is removed.
func TestNothingIsRemovedThatWouldNotBeMadeAnew(t *testing.T) {
	for reason, fault := range map[string]lifecycletest.Fault{
		"the rest of the layer cannot be previewed": {On: lifecycletest.Preview, Layer: "bootstrap", Err: errors.New("no answer")},
	} {
		t.Run(reason, func(t *testing.T) {
			p, tags := retagged(t)
			p.world.Fail(fault)
			proc := p.here()
			if _, err := proc.onboard(document(t, tags)); err == nil || !strings.Contains(err.Error(), "no answer") {
				t.Errorf("err: %v", err)
			}
			if slices.ContainsFunc(proc.Writes(), makesWay) {
				t.Error("the class was removed")
			}
		})
	}
}

// An object that somebody made again with another value, where the plan has a
// third one as well.
func TestAnObjectThatDiffersFromTheStateAndThePlanIsMadeAnew(t *testing.T) {
	p, tags := retagged(t)
	p.world.Edit(classType, "freehold-gp3", func(thing *lifecycletest.Thing) { thing.Added = map[string]any{"parameters.type": "io2"} })
	planned := must[event.Plan](t)(p.here().Plan(t.Context(), document(t, tags), PlanOptions{}, nil))
	if !slices.ContainsFunc(planned.Changes, func(c event.Change) bool { return c.Type == classType }) {
		t.Errorf("plan: %+v", planned.Changes)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t, tags)))
	got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
	if observed(got.Findings) != nil {
		t.Errorf("left is %v", observed(got.Findings))
	}
}
