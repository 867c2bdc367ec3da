package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

func TestAControllerThatDoesNotRunIsNamedAndPutBackBeforeItsProjectsAreRemoved(t *testing.T) {
	start := onboarded(t, "projects: ["+shop+"]")
	for reason, tc := range map[string]struct {
		hand func(*place)
		says string
	}{
		"it is scaled to none": {func(p *place) {
			p.world.Edit(controllerType, "namespace-controller", func(thing *lifecycletest.Thing) { thing.Added = map[string]any{"spec.replicas": 0} })
		}, "the namespace controller does not run (its Deployment is scaled to 0 replicas), and 1 projects wait for it"},
		"its Deployment is gone": {func(p *place) { p.world.Take(controllerType, "namespace-controller") }, "does not run (its Deployment is gone)"},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			tc.hand(p)
			proc := p.here()
			must[event.Offboarding](t)(proc.offboard("acme"))
			i := slices.IndexFunc(proc.shown, func(ev event.Event) bool { return ev.Type == event.Waiting && strings.Contains(ev.Message, tc.says) })
			if i < 0 || proc.shown[i].Duration != 0 || p.states("acme") != allRemoved {
				t.Errorf("said at event %d; layers %s", i, p.states("acme"))
			}
		})
	}
	t.Run("it crashes whatever is done", func(t *testing.T) {
		p := start.copied(t)
		p.world.Crash()
		proc := p.here()
		proc.ControllerWithin = time.Nanosecond
		_, err := proc.offboard("acme")
		if err == nil || !strings.Contains(err.Error(), "0 of 2 replicas are available: containers with unready status") {
			t.Fatalf("got %v", err)
		}
		if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Next, "kubectl -n freehold-system describe deployment namespace-controller") || e.Layer != "bootstrap" {
			t.Errorf("layer %s, next: %s", e.Layer, e.Next)
		}
	})
	t.Run("one project is removed by itself", func(t *testing.T) {
		p := start.copied(t)
		p.world.Edit(controllerType, "namespace-controller", func(thing *lifecycletest.Thing) { thing.Added = map[string]any{"spec.replicas": 0} })
		proc := p.here()
		must[event.Onboarding](t)(proc.change(ProjectChange{Remove: "shop"}))
		if !slices.ContainsFunc(proc.shown, func(ev event.Event) bool {
			return ev.Type == event.Waiting && ev.Duration == 0 && strings.Contains(ev.Message, "its Deployment is scaled to 0 replicas")
		}) {
			t.Error("it does not say that the controller does not run")
		}
	})
	t.Run("without projects nobody needs it", func(t *testing.T) {
		p := onboarded(t)
		p.world.Crash()
		must[event.Offboarding](t)(p.here().offboard("acme"))
	})
}
