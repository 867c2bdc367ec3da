package lifecycle

import (
	"context"
	"errors"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Onboard brings the org's data plane to what the spec says: it makes what is
// missing, changes what differs, puts back what was changed by hand and
// touches nothing else. It may be run again at any time, also after a kill.
func (s *Service) Onboard(ctx context.Context, doc spec.Spec, opts OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	out := event.Onboarding{Org: doc.Org, Layers: []event.LayerResult{}}
	req, err := request("onboard", opts.Call, onboarding{doc, opts})
	if err != nil {
		return out, fail(doc.Org, "", err)
	}
	err = s.operate(ctx, doc.Org, req, sink, result(&out), func(ctx context.Context, r *run) (ending, error) {
		d, err := do(ctx, r.step("admit", ""), r.admit, doc)
		if err == nil {
			err = r.make(ctx, work{DataPlane: d, Layers: plan.Layers(), Prune: opts.Prune, Whole: true}, &out)
		}
		return r.onboarded(&out), err
	})
	return out, err
}

// onboarded completes the result of an operation that ran layers.
func (r *run) onboarded(out *event.Onboarding) ending {
	changes := map[string]int{}
	for _, l := range out.Layers {
		for k, n := range l.Changes {
			changes[k] += n
		}
	}
	out.Operation, out.Changed, out.Duration = r.op.ID(), changed(changes) || len(out.Pruned) > 0, r.Now().Sub(r.op.Began())
	return ending{result: *out, changes: changes}
}

// work is what make does: some layers of a data plane, in their order.
type work struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Layers    []plan.Layer        `json:"layers"`
	Prune     bool                `json:"prune,omitempty"`
	// Whole lists the account afterwards: the layers are all that there are.
	Whole bool `json:"whole,omitempty"`
	// Pulls waits until the cluster's controller has pulled what is recorded.
	Pulls bool `json:"pulls,omitempty"`
	// Gone is the pulled project that is to be gone then, if one is.
	Gone plan.ProjectPlan `json:"gone,omitzero"`
}

// make runs the layers, and records what became of the org.
func (r *run) make(ctx context.Context, w work, out *event.Onboarding) (err error) {
	org := w.DataPlane.Plan.Org
	if err := r.putOrg(ctx, w.DataPlane, dataplane.OrgOnboarding); err != nil {
		return fail(org, "", err)
	}
	d := w.DataPlane
	defer func() {
		if err == nil {
			return
		}
		// What was foreseen of an org of which nothing was made holds nobody up.
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, r.putOrg(ctx, d, dataplane.OrgFailed), r.release(ctx, d, nil))
	}()
	declared := drift.Declared{}
	for _, l := range w.Layers {
		made, err := r.makeLayer(ctx, layerIn{DataPlane: d, Layer: l, Prune: w.Prune})
		d = made.DataPlane
		out.Layers = append(out.Layers, made.Result)
		out.Policy = append(out.Policy, made.Policy...)
		out.PutBack = append(out.PutBack, made.PutBack...)
		out.Pruned = append(out.Pruned, made.Pruned...)
		if err != nil {
			return err
		}
		declared.Merge(made.Declared)
	}
	if w.Pulls {
		if _, err := do(ctx, r.step("pull", plan.LayerBootstrap), r.awaitPull, pullIn{DataPlane: d, Gone: w.Gone}); err != nil {
			return fail(org, string(plan.LayerBootstrap), err)
		}
	}
	out.DataPlane = d.Summary()
	if err := r.op.PutDataPlane(ctx, out.DataPlane); err != nil {
		return fail(org, "", err)
	}
	if w.Whole {
		found, err := do(ctx, r.step("sweep", ""), r.sweep, sweepIn{DataPlane: d, Declared: declared, Prune: w.Prune})
		out.Pruned = append(out.Pruned, found.Removed...)
		if err != nil {
			return fail(org, "", err)
		}
		out.Unmanaged = found.Left
	}
	return fail(org, "", r.putOrg(ctx, d, dataplane.OrgReady))
}

func (r *run) putOrg(ctx context.Context, d dataplane.DataPlane, state string) error {
	rec, err := d.Record(state)
	if err != nil {
		return err
	}
	return r.op.PutOrg(ctx, rec)
}

// settled leaves out what was open while the layer was made: in the end the
// rules were asked again, and were content.
func settled(found []finding.Policy) []finding.Policy {
	var out []finding.Policy
	for _, f := range found {
		if !f.Open() {
			out = append(out, f)
		}
	}
	return out
}

// changed reports whether any resource was touched.
func changed(changes map[string]int) bool {
	for op, n := range changes {
		switch op {
		case "same", "read", "refresh":
		default:
			if n > 0 {
				return true
			}
		}
	}
	return false
}
