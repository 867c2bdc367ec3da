package dataplane_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestWhetherALayerIsThereHasThreeAnswers(t *testing.T) {
	const yes, no, cannotTell = "yes", "no", "cannot tell"
	rec := func(state string, made bool) registry.Layer { return registry.Layer{State: state, Made: made} }
	there, absent, fresh := dataplane.Stack{Exists: true}, dataplane.Stack{}, dataplane.Stack{Fresh: true}
	for reason, tc := range map[string]struct {
		rec   registry.Layer
		stack dataplane.Stack
		want  string
	}{
		"never begun, and no stack":                              {registry.Layer{}, absent, no},
		"never begun, and a stack that somebody made":            {registry.Layer{}, there, yes},
		"begun and killed before it made anything":               {rec(dataplane.Making, false), absent, no},
		"begun and killed before it made anything, with a stack": {rec(dataplane.Making, false), there, yes},
		"killed while it made things, and the stack is missing":  {rec(dataplane.Making, true), absent, cannotTell},
		"done":                                             {rec(dataplane.Done, true), there, yes},
		"done, and the stack is missing":                   {rec(dataplane.Done, true), absent, cannotTell},
		"done, and the backend is empty":                   {rec(dataplane.Done, true), fresh, cannotTell},
		"failed with nothing made":                         {rec(dataplane.Failed, false), absent, no},
		"failed half-way, and the stack is missing":        {rec(dataplane.Failed, true), absent, cannotTell},
		"killed while it was removed, and gone":            {rec(dataplane.Removing, true), absent, no},
		"killed while it was removed, and there":           {rec(dataplane.Removing, true), there, yes},
		"killed while it was removed, in an empty backend": {rec(dataplane.Removing, true), fresh, cannotTell},
		"removed": {rec(dataplane.Removed, true), absent, no},
		"removed, and begun anew by a killed run": {rec(dataplane.Removed, true), there, yes},
	} {
		t.Run(reason, func(t *testing.T) {
			d := of(vendedPlan(t))
			if tc.rec.State != "" {
				tc.rec.Layer = "cluster"
				d = d.With(tc.rec)
			}
			is, err := d.Presence(plan.LayerCluster, tc.stack)
			got := map[bool]string{true: yes, false: no}[is]
			if err != nil {
				if got = cannotTell; !errors.Is(err, dataplane.ErrStateMissing) || is {
					t.Errorf("%v, %v: want it to wrap ErrStateMissing and not to say yes", is, err)
				}
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAStackThatIsThereCountsRecordedOrNot(t *testing.T) {
	full := dataplane.Stack{Exists: true, Resources: 3}
	for reason, tc := range map[string]struct {
		rec   registry.Layer
		stack dataplane.Stack
		want  registry.Layer
	}{
		"a killed run made things and recorded nothing": {
			registry.Layer{}, full, registry.Layer{State: dataplane.Making, Unclean: true, Made: true},
		},
		"a killed run had begun one thing": {
			registry.Layer{}, dataplane.Stack{Exists: true, Pending: 1}, registry.Layer{State: dataplane.Making, Unclean: true, Made: true},
		},
		"a killed run had made the stack only": {
			registry.Layer{State: dataplane.Making, Unclean: true}, dataplane.Stack{Exists: true},
			registry.Layer{State: dataplane.Making, Unclean: true},
		},
		"a run began to make things, and its state has none of them": {
			registry.Layer{State: dataplane.Failed, Unclean: true, Made: true}, dataplane.Stack{Exists: true},
			registry.Layer{State: dataplane.Failed, Unclean: true},
		},
		"a layer that was done stays made, however little its state has": {
			registry.Layer{State: dataplane.Done, Made: true, Outputs: outputs[plan.LayerCluster]}, dataplane.Stack{Exists: true},
			registry.Layer{State: dataplane.Done, Made: true, Outputs: outputs[plan.LayerCluster]},
		},
		"a removed one that is there again": {
			registry.Layer{State: dataplane.Removed}, full, registry.Layer{State: dataplane.Making, Unclean: true, Made: true},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			tc.rec.Layer, tc.want.Layer = "cluster", "cluster"
			d := of(vendedPlan(t), tc.rec)
			got, err := d.Seen(map[plan.Layer]dataplane.Stack{plan.LayerCluster: tc.stack})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Layer(plan.LayerCluster)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := whole(vendedPlan(t)).Seen(map[plan.Layer]dataplane.Stack{plan.LayerAccount: {Exists: true}}); !errors.Is(err, dataplane.ErrStateMissing) {
		t.Errorf("three layers whose stacks are missing: %v", err)
	}
}

func TestWhatARemovalLeftIsMadeAnew(t *testing.T) {
	removing := made(plan.LayerCluster)
	removing.State = dataplane.Removing
	d := whole(vendedPlan(t)).With(removing)
	gone := d.WithoutGone(map[plan.Layer]dataplane.Stack{plan.LayerAccount: {Exists: true}, plan.LayerBoundary: {Exists: true}})
	if gone.Outputs(plan.LayerCluster) != nil || gone.Made(plan.LayerCluster) {
		t.Errorf("a removed cluster still gives out %v", gone.Outputs(plan.LayerCluster))
	}
	if diff := cmp.Diff(d.Layer(plan.LayerBoundary), gone.Layer(plan.LayerBoundary)); diff != "" {
		t.Errorf("another layer (-want +got):\n%s", diff)
	}
	still := d.WithoutGone(map[plan.Layer]dataplane.Stack{plan.LayerCluster: {Exists: true}})
	if still.Outputs(plan.LayerCluster) == nil {
		t.Error("a cluster whose removal has only begun is taken for gone")
	}
}
