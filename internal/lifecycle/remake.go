package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/plan"
)

// remakeIn are objects of a layer that can have what its plan wants only when they
// are made anew.
type remakeIn struct {
	layerIn

	Objects []kubelive.Object `json:"objects"`
	// Fields are what differs in each, as a person reads it.
	Fields []string `json:"fields"`
}

// refusedObjects are the objects of the org's bootstrap layer for which its run
// failed because nobody can change them, and what was to change. There are none
// where one of them may hold what is somebody's. What was cut off by the failure
// is one as well, in the run's report; whether something else is wrong, a run
// without these objects says.
//
// pulumi-kubernetes replaces such an object, and previews that by a dry run of the
// creation beside the old one, which the API server refuses: pulumi/pulumi-kubernetes#3767.
func (s *Service) refusedObjects(ctx context.Context, org string, failed error) ([]kubelive.Object, []event.Change, error) {
	run, ok := errors.AsType[*engine.Error](failed)
	if !ok || !errors.Is(run, engine.ErrImmutable) {
		return nil, nil, nil
	}
	stored, err := s.applied(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	var objects []kubelive.Object
	var changes []event.Change
	for _, f := range run.Failures {
		if !f.Immutable {
			continue
		}
		i := slices.IndexFunc(stored, func(o kubelive.Object) bool { return o.URN == f.URN })
		if i < 0 || !stored[i].Remakable() {
			return nil, nil, nil
		}
		objects = append(objects, stored[i])
		changes = append(changes, event.Change{
			Layer: string(plan.LayerBootstrap), Op: "replace", Type: f.Type, Name: f.Name, URN: f.URN, Properties: drift.Compare(f.NewInputs, f.OldInputs),
		})
	}
	return objects, changes, nil
}

func urnsOf(objects []kubelive.Object) []string {
	out := make([]string, len(objects))
	for i, o := range objects {
		out[i] = o.URN
	}
	return out
}

// remaking runs the bootstrap layer, and once more where objects have to be made
// anew: those are removed in between. A run that is killed in between, or after it,
// ends likewise: the next one finds them missing, and makes them.
func (r *run) remaking(ctx context.Context, in layerIn) (layerOut, error) {
	made, failed := r.upLayer(ctx, in)
	objects, changes, err := r.refusedObjects(ctx, in.DataPlane.Plan.Org, failed)
	if err != nil || len(objects) == 0 {
		return made, errors.Join(failed, err)
	}
	in.DataPlane = made.DataPlane
	remake := remakeIn{layerIn: in, Objects: objects}
	for _, c := range changes {
		var fields []string
		for _, d := range c.Properties {
			fields = append(fields, d.Path)
		}
		remake.Fields = append(remake.Fields, strings.Join(fields, ", "))
	}
	if _, err := do(ctx, r.step("remake", in.Layer), r.remake, remake); err != nil {
		return made, err
	}
	again, err := r.upLayer(ctx, in)
	again.Result.Changes = asReplaced(again.Result.Changes, len(objects))
	return again, err
}

// asReplaced counts n of the creations as replacements.
func asReplaced(changes map[string]int, n int) map[string]int {
	if changes["create"] < n {
		return changes // it failed before
	}
	out := together(map[string]int{"replace": n, "create": -n}, changes)
	maps.DeleteFunc(out, func(_ string, n int) bool { return n == 0 })
	return out
}

// remake removes objects, so that the run that follows makes them anew. Before
// that it asks whether anything else is in that run's way, such as a rule:
// what it will not make anew, nothing may remove.
func (r *run) remake(ctx context.Context, in remakeIn) (none, error) {
	st, err := r.stack(ctx, in.DataPlane, in.Layer)
	if err != nil {
		return none{}, err
	}
	st.Hold = append(st.Hold, urnsOf(in.Objects)...)
	if _, err := r.Engine.Preview(ctx, st, r.waits); err != nil {
		return none{}, err
	}
	kubeconfig, err := r.kubeconfig(ctx, in.DataPlane, writer)
	if err != nil {
		return none{}, err
	}
	for i, o := range in.Objects {
		ev := event.Event{
			Type: event.ResourceStarted, Layer: string(in.Layer), URN: o.URN, ResourceType: o.Type, ResourceName: o.Name, Op: "delete",
			Message: "removed, to be made anew: Kubernetes lets nobody change " + in.Fields[i],
		}
		r.op.Emit(ev)
		if err := r.Objects.MakeWay(ctx, kubeconfig, []kubelive.Object{o}); err != nil {
			ev.Type, ev.Message = event.ResourceFailed, err.Error()
			r.op.Emit(ev)
			return none{}, fmt.Errorf("make %s %q anew: %w", o.Type, o.Name, err)
		}
		ev.Type = event.ResourceFinished
		r.op.Emit(ev)
	}
	return none{}, nil
}
