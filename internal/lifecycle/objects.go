package lifecycle

import (
	"context"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

// Objects are the Kubernetes objects of the orgs' clusters, as they are live.
// The engine's refresh sees of them only what its programs ask for.
type Objects interface {
	// Compare returns those that differ from what was applied. It only reads.
	Compare(ctx context.Context, kubeconfig []byte, objects []kubelive.Object) ([]kubelive.Result, error)
	// Expose keeps what nobody is on record for a difference until it is put back.
	Expose(ctx context.Context, kubeconfig []byte, results []kubelive.Result) error
	// PutBack makes objects what was applied, and nothing else.
	PutBack(ctx context.Context, kubeconfig []byte, objects []kubelive.Object) error
	// MakeWay deletes objects that hold nothing, to be made again with what nobody
	// can change. It refuses all others.
	MakeWay(ctx context.Context, kubeconfig []byte, objects []kubelive.Object) error
	// Strays lists what somebody added to a cluster beside the objects of a layer.
	Strays(ctx context.Context, kubeconfig []byte, s kubelive.Sought) (kubelive.Found, error)
	// Remove asks for the end of a stray, without waiting for it.
	Remove(ctx context.Context, kubeconfig []byte, s kubelive.Stray) error
	// Available reads how much of a Deployment runs.
	Available(ctx context.Context, kubeconfig []byte, o kubelive.Object) (kubelive.Availability, error)
}

// reader and writer are who looks at objects, and who puts them back.
func reader(b stacks.BoundaryOut) string { return b.ReadRoleARN }
func writer(b stacks.BoundaryOut) string { return b.BootstrapRoleARN }

// differing compares the objects that the state of the bootstrap layer has with
// those in the org's cluster.
func (s *Service) differing(ctx context.Context, d dataplane.DataPlane, as func(stacks.BoundaryOut) string) ([]kubelive.Result, []byte, error) {
	objects, kubeconfig, err := s.appliedIn(ctx, d, as)
	if err != nil || len(objects) == 0 {
		return nil, nil, err
	}
	results, err := s.Objects.Compare(ctx, kubeconfig, objects)
	if err != nil {
		return nil, nil, fmt.Errorf("compare the cluster's objects: %w", err)
	}
	return results, kubeconfig, nil
}

// appliedIn are the objects in the state of the bootstrap layer, and the way to
// the cluster that they are in; neither where there are none.
func (s *Service) appliedIn(ctx context.Context, d dataplane.DataPlane, as func(stacks.BoundaryOut) string) ([]kubelive.Object, []byte, error) {
	objects, err := s.applied(ctx, d.Plan.Org)
	if err != nil || len(objects) == 0 {
		return nil, nil, err
	}
	kubeconfig, err := s.kubeconfig(ctx, d, as)
	return objects, kubeconfig, err
}

// applied are the objects in the state of the bootstrap layer; none where there
// is no such state.
func (s *Service) applied(ctx context.Context, org string) ([]kubelive.Object, error) {
	resources, err := s.Engine.Resources(ctx, stackOf(org, plan.LayerBootstrap))
	if err != nil {
		return nil, err
	}
	var out []kubelive.Object
	for _, r := range resources {
		if o, ok := kubelive.Of(r.URN, r.Type, r.Name, r.ID, r.Inputs, r.Outputs); ok && o.ID != "" {
			out = append(out, o)
		}
	}
	return out, nil
}

// expose prepares the objects of the bootstrap layer for a run of it. What was
// added and nobody is on record for stays in sight, and what no update can change
// back is put back first; that it returns.
func (r *run) expose(ctx context.Context, in layerIn) ([]finding.Finding, error) {
	results, kubeconfig, err := r.differing(ctx, in.DataPlane, writer)
	if err != nil {
		return nil, err
	}
	var first, unowned []kubelive.Result
	for _, res := range results {
		switch {
		case res.Remade():
			first = append(first, res)
		case res.Unowned:
			unowned = append(unowned, res)
		}
	}
	if len(unowned) > 0 {
		if err := r.Objects.Expose(ctx, kubeconfig, unowned); err != nil {
			return nil, err
		}
	}
	return r.putBackThese(ctx, in, kubeconfig, first)
}

// remade are the URNs of objects that no update can change back, which an onboard
// puts back before its run.
func (s *Service) remade(ctx context.Context, d dataplane.DataPlane) ([]string, error) {
	results, _, err := s.differing(ctx, d, reader)
	var out []string
	for _, res := range results {
		if res.Remade() {
			out = append(out, res.Object.URN)
		}
	}
	return out, err
}

// putBack makes the objects of the bootstrap layer what its program asked for,
// and nothing else, and returns what it put back.
func (r *run) putBack(ctx context.Context, in layerIn) ([]finding.Finding, error) {
	results, kubeconfig, err := r.differing(ctx, in.DataPlane, writer)
	if err != nil {
		return nil, err
	}
	return r.putBackThese(ctx, in, kubeconfig, results)
}

func (r *run) putBackThese(ctx context.Context, in layerIn, kubeconfig []byte, results []kubelive.Result) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, res := range results {
		o := res.Object
		ev := event.Event{Layer: string(in.Layer), URN: o.URN, ResourceType: o.Type, ResourceName: o.Name, Op: "update", Message: putBackText(res)}
		ev.Type = event.ResourceStarted
		r.op.Emit(ev)
		if err := r.Objects.PutBack(ctx, kubeconfig, []kubelive.Object{o}); err != nil {
			ev.Type, ev.Message = event.ResourceFailed, err.Error()
			r.op.Emit(ev)
			return out, &Error{
				Org: in.DataPlane.Plan.Org, Layer: string(in.Layer), Resource: fmt.Sprintf("%s %q", o.Type, o.Name), Doing: "put back", Err: err,
				Next: "find out who changes it (freehold drift " + in.DataPlane.Plan.Org + " names the field managers), then run the same command again",
			}
		}
		ev.Type = event.ResourceFinished
		r.op.Emit(ev)
		out = append(out, foundIn(in.Layer, res))
	}
	return out, nil
}

func putBackText(r kubelive.Result) string {
	paths := make([]string, len(r.Differences))
	for i, d := range r.Differences {
		paths[i] = d.Path
	}
	text := "put back: " + strings.Join(paths, ", ")
	if why := r.Why(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// foundIn is a live object that is not what its layer applied.
func foundIn(l plan.Layer, r kubelive.Result) finding.Finding {
	o := r.Object
	return finding.Finding{
		Kind: finding.Changed, Layer: string(l), Type: o.Type, Name: o.Name, ID: o.ID, URN: o.URN, Differences: r.Differences, Message: r.Why(),
	}
}
