package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// Plan says what Onboard would do. It changes nothing and holds nothing: it
// can run beside a deploy.
func (s *Service) Plan(ctx context.Context, doc spec.Spec, opts PlanOptions, sink event.Sink) (event.Plan, error) {
	f, err := s.facts(ctx, doc)
	d, p := f.DataPlane, f.DataPlane.Plan
	out := event.Plan{Org: p.Org, Hash: p.Hash, HashVersion: p.HashVersion, Decided: p, Notes: p.Notes}
	if err != nil {
		return out, fail(doc.Org, "", err)
	}
	if err := refuse(doc.Org, dataplane.Admit(f)...); err != nil {
		return out, err
	}
	if out.Recorded, err = dataplane.RecordedOnly(f.Recorded, p); err != nil {
		return out, fail(doc.Org, "", err)
	}
	watch := watcher{sink: serialized(sink), org: p.Org, kind: "plan", now: s.Now}
	declared := drift.Declared{}
	reached := false // the cluster and what is in it
	var blocked error
	seen := true
	for _, l := range plan.Layers() {
		look, changes, err := s.lookAt(ctx, &d, l, watch, &out.Notes)
		if shutOut(ctx, l, out.Changes, err) {
			out.Notes = append(out.Notes, fmt.Sprintf("layer %s cannot be looked at before the boundary layer's roles are as they should be: %v", l, err))
			seen, err = false, dataplane.ErrNotReady
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
		out.Layers = append(out.Layers, counted(look.result, len(changes)-len(look.changes(l))))
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
	// With a layer unseen, everything of it would look undeclared.
	if opts.Prune && seen && blocked == nil && d.Outputs(plan.LayerAccount) != nil {
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

// lookAt says what running a layer would do. It wraps dataplane.ErrNotReady where
// that depends on a layer before it, and adds to the notes why the bootstrap layer
// of a cluster that is gone does.
func (s *Service) lookAt(ctx context.Context, d *dataplane.DataPlane, l plan.Layer, w watcher, notes *[]string) (look preview, changes []event.Change, err error) {
	look, err = s.previewGroups(ctx, d, l, w)
	if l == plan.LayerBootstrap && !errors.Is(err, dataplane.ErrNotReady) {
		// What was in a cluster that is gone is made anew in the next one.
		why, cannot := s.lost(ctx, *d)
		if cannot != nil {
			return look, nil, fail(d.Plan.Org, string(l), cannot)
		}
		if why != "" {
			*notes = append(*notes, why+": the bootstrap layer is made anew")
			return look, nil, dataplane.ErrNotReady
		}
	}
	if err == nil {
		changes, err = s.changes(ctx, *d, l, look)
	}
	if errors.Is(err, dataplane.ErrNotReady) {
		return look, nil, err
	}
	return look, changes, fail(d.Plan.Org, string(l), err)
}

// shutOut reports whether a layer could not be looked at because of the roles
// that Freehold enters it by, which onboard would put back first. IAM names who
// may assume a role by a unique id: when the provisioner's own role was made anew,
// it may assume none of an org's until their trusts are written again.
func shutOut(ctx context.Context, l plan.Layer, before []event.Change, err error) bool {
	if err == nil || ctx.Err() != nil || errors.Is(err, dataplane.ErrNotReady) || errors.Is(err, ErrBlocked) {
		return false
	}
	return l != plan.LayerBoundary && slices.ContainsFunc(before, func(c event.Change) bool {
		return c.Layer == string(plan.LayerBoundary) && c.Type == awstype.IAMRole
	})
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
	// held are the URNs of what the engine was not asked about, and anew is what
	// would be replaced of it.
	held []string
	anew []event.Change
}

// changes lists what the engine would do to resources.
func (p preview) changes(l plan.Layer) []event.Change {
	return append(changesOf(l, p.steps), p.anew...)
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
	var held []string
	var anew []event.Change
	run, err := s.Engine.Preview(ctx, st, w.waits)
	if _, failed := errors.AsType[*engine.Error](err); failed && l == plan.LayerBootstrap && !errors.Is(err, engine.ErrPolicy) {
		// What no update can change, to or back, fails a preview, and not an onboard.
		hold, cannot := s.remade(ctx, d)
		refused, changes, unread := s.refusedObjects(ctx, org, err)
		if hold = append(hold, urnsOf(refused)...); cannot == nil && unread == nil && len(hold) > 0 {
			held, st.Hold = hold, append(st.Hold, hold...)
			if run, err = s.Engine.Preview(ctx, st, w.waits); err == nil {
				anew = changes
			}
		}
	}
	out := preview{
		result: event.LayerResult{
			Layer: string(l), Stack: st.Name, State: dataplane.Done, Changes: run.Changes, Resources: run.Resources(), Duration: s.Now().Sub(began),
		},
		steps: run.Steps, policy: run.Policy, held: held, anew: anew,
	}
	if len(anew) > 0 {
		out.result.Changes = together(run.Changes, map[string]int{"replace": len(anew), "same": run.Changes["same"] - len(anew)})
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
func (s *Service) changes(ctx context.Context, d dataplane.DataPlane, l plan.Layer, look preview) ([]event.Change, error) {
	out := look.changes(l)
	beside, _, err := s.beside(ctx, d, l)
	if err != nil {
		return nil, err
	}
	for _, f := range beside {
		about := func(st engine.Step) bool {
			return st.Custom && f.Same(finding.Finding{Layer: string(l), Type: st.Type, ID: st.ID, URN: st.URN})
		}
		c := event.Change{Layer: string(l), Op: "update", Type: f.Type, Name: f.Name, URN: f.URN, Properties: f.Differences}
		if i := slices.IndexFunc(look.steps, about); i >= 0 {
			c.Name, c.URN = look.steps[i].Name, look.steps[i].URN
		} else if !slices.Contains(look.held, f.URN) {
			continue // the plan has no such resource any more
		}
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

// Guarded returns the fields of a document that differ from what is recorded of its
// org, and that only an admin of the org may change.
func (s *Service) Guarded(ctx context.Context, doc spec.Spec) ([]string, error) {
	o, err := s.of(doc.Org).Org(ctx)
	if errors.Is(err, registry.ErrUnknownOrg) {
		return dataplane.Guarded(doc, nil), nil
	}
	if err != nil {
		return nil, fail(doc.Org, "", err)
	}
	was, err := dataplane.Recorded(o)
	if err != nil {
		return nil, fail(doc.Org, "", err)
	}
	return dataplane.Guarded(doc, &was), nil
}
