package lifecycle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/event"
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
