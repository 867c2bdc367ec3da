package lifecycle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/wait"
)

func TestARemovalSaysEachConditionThatItWaitsFor(t *testing.T) {
	goes := func(name, reason, message string) v1alpha1.Project {
		return v1alpha1.Project{
			ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 2, DeletionTimestamp: new(metav1.Now())},
			Status: v1alpha1.ProjectStatus{ObservedGeneration: 2, Phase: v1alpha1.PhaseTerminating, Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: message},
			}},
		}
	}
	unseen := goes("lab", "", "")
	unseen.Status.ObservedGeneration = 1
	stays := v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	pods := goes("lab", "PodsEnding", "waits for 1 pods to end: slow")
	foreign := goes("lab", "NamespaceEmptying", "waits for the namespace to be empty: Some content in the namespace has finalizers remaining: example.com/slow in 1 resource instances")
	states := [][]v1alpha1.Project{{stays}, {stays, unseen}, {stays, pods}, {stays, pods}, nil, {stays, foreign}}
	s := &Service{ProbeEvery: time.Millisecond, Now: func() time.Time { return time.Unix(0, 0) }}
	ctx, cancel := context.WithCancel(t.Context())
	i := -1
	var said []string
	last := s.tellGoing(ctx, func(r wait.Report) { said = append(said, r.Reason.Error()) }, func(context.Context) ([]v1alpha1.Project, error) {
		if i++; i == len(states)-1 {
			cancel()
		}
		if states[min(i, len(states)-1)] == nil {
			return nil, errors.New("connection refused")
		}
		return states[min(i, len(states)-1)], nil
	})
	const finalizer = "project lab is not removed yet: NamespaceEmptying: waits for the namespace to be empty: Some content in the namespace has finalizers remaining: example.com/slow in 1 resource instances"
	want := []string{
		"project lab is not removed yet: the namespace controller has not looked at it yet",
		"project lab is not removed yet: PodsEnding: waits for 1 pods to end: slow",
		finalizer,
	}
	if diff := cmp.Diff(want, said); diff != "" || last != finalizer {
		t.Errorf("at last %q; said (-want +got):\n%s", last, diff)
	}
}

func TestProjectsThatGoSayWhatTheyWaitFor(t *testing.T) {
	start := onboarded(t, "projects: ["+shop+", {name: lab}]")
	const words = "waiting for projects to be removed: project lab is not removed yet: NamespaceEmptying: finalizers remaining: example.com/slow"
	for reason, act := range map[string]func(*process) error{
		"a project that is dropped from the spec": func(p *process) error {
			_, err := p.onboard(document(t, "projects: ["+shop+"]"))
			return err
		},
		"one that is removed by name": func(p *process) error {
			_, err := p.change(ProjectChange{Remove: "lab"})
			return err
		},
		"the projects of an org that is offboarded": func(p *process) error {
			_, err := p.offboard("acme")
			return err
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			p.world.Linger("lab", 3)
			proc := p.here()
			if err := act(proc); err != nil {
				t.Fatal(err)
			}
			said := 0
			for _, ev := range proc.shown {
				if ev.Type == event.Waiting && ev.Layer == "bootstrap" && ev.Message == words {
					said++
				}
			}
			if said != 1 { // for one reason, in less than a minute
				t.Errorf("it said so %d times: %v", said, waits(proc))
			}
		})
	}
}

// waits are what a process said that it waited for.
func waits(p *process) []string {
	var out []string
	for _, ev := range p.shown {
		if ev.Type == event.Waiting {
			out = append(out, ev.Layer+": "+ev.Message)
		}
	}
	return out
}

// slow is an engine that waits while it looks.
type slow struct{ *lifecycletest.Engine }

func (s slow) Preview(ctx context.Context, st engine.Stack, sink event.Sink) (engine.Result, error) {
	s.wait(st, sink)
	return s.Engine.Preview(ctx, st, nil)
}

func (s slow) PreviewRefresh(ctx context.Context, st engine.Stack, sink event.Sink) (engine.Result, error) {
	s.wait(st, sink)
	return s.Engine.PreviewRefresh(ctx, st, nil)
}

func (slow) wait(st engine.Stack, sink event.Sink) {
	for _, typ := range []event.Type{event.ResourceStarted, event.Waiting, event.Diagnostic} {
		sink(event.Event{Type: typ, Layer: st.Layer, Message: "waiting for another stack to finish"})
	}
}

func TestWhoeverOnlyLooksSaysWhatItWaitsForToo(t *testing.T) {
	p := onboarded(t)
	for what, look := range map[string]func(*process, event.Sink) error{
		"plan": func(p *process, sink event.Sink) error {
			_, err := p.Plan(p.Context(), document(t), PlanOptions{}, sink)
			return err
		},
		"drift": func(p *process, sink event.Sink) error {
			_, err := p.Drift(p.Context(), "acme", sink)
			return err
		},
	} {
		proc, layers := p.here(), map[string]int{}
		proc.Service.Engine = slow{proc.Process.Engine()}
		if err := look(proc, func(ev event.Event) {
			if ev.Type == event.Waiting && ev.Org == "acme" && ev.Kind == what {
				layers[ev.Layer]++
			} else if ev.Type == event.ResourceStarted || ev.Type == event.Diagnostic {
				t.Errorf("%s: %+v", what, ev)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]int{"account": 1, "boundary": 1, "cluster": 1, "bootstrap": 1}, layers); d != "" {
			t.Errorf("%s says that it waits in layers (-want +got):\n%s", what, d)
		}
	}
}
