package lifecycle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"freehold.dev/freehold/internal/api/v1alpha1"
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
	last := s.tellGoing(ctx, func(text string, _ time.Duration) { said = append(said, text) }, func(context.Context) ([]v1alpha1.Project, error) {
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
