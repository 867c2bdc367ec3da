package lifecycle

import (
	"context"
	"errors"
	"maps"
	"slices"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Plan says what Onboard would do. It changes nothing and holds nothing: it
// can run beside a deploy.
func (s *Service) Plan(ctx context.Context, doc spec.Spec, opts PlanOptions, sink event.Sink) (event.Plan, error) {
	d, err := s.admit(ctx, doc)
	p := d.Plan
	out := event.Plan{Org: p.Org, Hash: p.Hash, HashVersion: p.HashVersion, Decided: p, Notes: p.Notes}
	if err != nil {
		return out, err
	}
	watch := watcher{sink: serialized(sink), org: p.Org, kind: "plan", now: s.Now}
	declared := drift.Declared{}
	reached := false // the cluster and what is in it
	var blocked error
	for _, l := range plan.Layers() {
		look, err := s.previewGroups(ctx, &d, l, watch)
		if l == plan.LayerBootstrap && !errors.Is(err, dataplane.ErrNotReady) {
			// What was in a cluster that is gone is made anew in the next one.
			why, cannot := s.lost(ctx, d)
			if cannot != nil {
				return out, fail(p.Org, string(l), cannot)
			}
			if why != "" {
				out.Notes = append(out.Notes, why+": the bootstrap layer is made anew")
				err = dataplane.ErrNotReady
			}
		}
		if errors.Is(err, dataplane.ErrNotReady) {
			out.Layers = append(out.Layers, d.Result(l).As(dataplane.NotStarted))
			continue
		}
		out.Policy = append(out.Policy, look.policy...)
		if errors.Is(err, ErrBlocked) {
			// The other layers are looked at all the same: a person wants to
			// hear of all violations at once.
			out.Layers, blocked = append(out.Layers, look.result), joinBlocked(blocked, err)
			continue
		}
		if err != nil {
			return out, err
		}
		changes, err := s.changes(ctx, d, l, look.steps)
		if err != nil {
			return out, fail(p.Org, string(l), err)
		}
		out.Layers = append(out.Layers, counted(look.result, len(changes)-len(changesOf(l, look.steps))))
		out.Changes = append(out.Changes, changes...)
		if l == plan.LayerCluster {
			entries, err := s.entryChanges(ctx, d)
			if err != nil {
				return out, fail(p.Org, string(l), err)
			}
			out.Changes = append(out.Changes, entries...)
		}
		declare(declared, look.steps)
		reached = reached || l == plan.LayerBootstrap
	}
	out.Moves = d.Groups.Moves
	if opts.Prune && blocked == nil && d.Outputs(plan.LayerAccount) != nil {
		_, items, err := s.undeclared(ctx, d, declared)
		if err != nil {
			return out, fail(p.Org, "", err)
		}
		out.Prune = findings(items)
		if reached {
			found, _, err := s.strays(ctx, d, reader)
			if err == nil {
				err = unlisted(found)
			}
			if err != nil {
				return out, fail(p.Org, string(plan.LayerBootstrap), err)
			}
			out.Prune = append(out.Prune, strayFindings(found.Strays)...)
		}
	}
	return out, blocked
}

// previewGroups is preview with the node groups that the cluster is to have. A
// group that the engine would replace in its place gets a successor.
func (s *Service) previewGroups(ctx context.Context, d *dataplane.DataPlane, l plan.Layer, w watcher) (look preview, err error) {
	if l != plan.LayerCluster {
		return s.preview(ctx, *d, l, w)
	}
	if *d, err = s.withGroups(ctx, *d, nil); err != nil && !errors.Is(err, dataplane.ErrNotReady) {
		return preview{}, fail(d.Plan.Org, string(l), err)
	}
	look, err = s.preview(ctx, d.WithoutHold(), l, w)
	replaced := slices.ContainsFunc(look.steps, func(st engine.Step) bool { return st.Op == "replace" && st.Type == awstype.EKSNodeGroup })
	if err != nil || !replaced {
		return look, err
	}
	if *d, err = s.withGroups(ctx, *d, look.steps); err != nil {
		return preview{}, fail(d.Plan.Org, string(l), err)
	}
	return s.preview(ctx, d.WithoutHold(), l, w)
}

// preview is what running a layer would do.
type preview struct {
	result event.LayerResult
	steps  []engine.Step
	policy []finding.Policy
}

// preview looks at what running a layer would do. It wraps dataplane.ErrNotReady
// when a layer before it is not made, and ErrBlocked when a policy does not
// allow it.
func (s *Service) preview(ctx context.Context, d dataplane.DataPlane, l plan.Layer, w watcher) (preview, error) {
	org := d.Plan.Org
	st, err := s.stack(ctx, d, l)
	if errors.Is(err, dataplane.ErrNotReady) {
		return preview{}, err
	}
	if err != nil {
		return preview{}, fail(org, string(l), err)
	}
	began := s.Now()
	w.emit(event.Event{Type: event.LayerStarted, Layer: string(l)})
	run, err := s.Engine.Preview(ctx, st, nil)
	out := preview{
		result: event.LayerResult{
			Layer: string(l), Stack: st.Name, State: dataplane.Done, Changes: run.Changes, Resources: run.Resources(), Duration: s.Now().Sub(began),
		},
		steps: run.Steps, policy: run.Policy,
	}
	if err == nil {
		err = s.checkSteps(ctx, org, run.Steps)
	}
	if err = fail(org, string(l), err); err != nil {
		out.result = event.LayerResult{Layer: string(l), Stack: st.Name, State: dataplane.Failed, Error: err.Error(), Duration: out.result.Duration}
		if failed, ok := errors.AsType[*engine.Error](err); ok {
			out.policy = failed.Policy
		}
		w.emit(event.Event{Type: event.LayerFailed, Layer: string(l), Message: err.Error(), Duration: out.result.Duration})
		return out, err
	}
	w.emit(event.Event{Type: event.LayerFinished, Layer: string(l), Changes: run.Changes, Duration: out.result.Duration})
	return out, nil
}

// joinBlocked makes one failure of two layers' violations.
func joinBlocked(first, next error) error {
	a, ok := errors.AsType[*Error](first)
	b, also := errors.AsType[*Error](next)
	if !ok || !also {
		return next
	}
	all := append(slices.Clone(a.Policy), b.Policy...)
	return &Error{Org: a.Org, Next: a.Next, Policy: all, Err: &because{text: blockedText(all), err: errors.Join(a, b)}}
}

// counted is a layer's result with more updates than the engine knows of.
func counted(l event.LayerResult, more int) event.LayerResult {
	if more > 0 {
		l.Changes = maps.Clone(l.Changes)
		if l.Changes == nil {
			l.Changes = map[string]int{}
		}
		l.Changes["update"] += more
	}
	return l
}

// changes lists what running a layer would do: what the engine would, and what
// would be put back of what it does not see.
func (s *Service) changes(ctx context.Context, d dataplane.DataPlane, l plan.Layer, steps []engine.Step) ([]event.Change, error) {
	out := changesOf(l, steps)
	beside, _, err := s.beside(ctx, d, l)
	if err != nil {
		return nil, err
	}
	for _, f := range beside {
		about := func(st engine.Step) bool {
			return st.Custom && f.Same(finding.Finding{Layer: string(l), Type: st.Type, ID: st.ID, URN: st.URN})
		}
		i := slices.IndexFunc(steps, about)
		if i < 0 {
			continue // the plan has no such resource any more
		}
		c := event.Change{Layer: string(l), Op: "update", Type: f.Type, Name: steps[i].Name, URN: steps[i].URN, Properties: f.Differences}
		switch j := slices.IndexFunc(out, func(o event.Change) bool { return o.URN == c.URN }); {
		case j < 0:
			out = append(out, c)
		case out[j].Op == "update":
			out[j].Properties = finding.Union(out[j].Properties, f.Differences)
		}
	}
	return out, nil
}

// changesOf lists what the engine would do to resources.
func changesOf(l plan.Layer, steps []engine.Step) []event.Change {
	var out []event.Change
	for _, st := range steps {
		if slices.Contains([]string{"same", "read", "refresh", "discard"}, st.Op) {
			continue
		}
		c := event.Change{Layer: string(l), Op: st.Op, Type: st.Type, Name: st.Name, URN: st.URN}
		if st.Op == "update" || st.Op == "replace" {
			c.Properties = drift.Compare(st.NewInputs, st.OldInputs)
		}
		out = append(out, c)
	}
	return out
}
