package lifecycle

import (
	"context"
	"errors"
	"slices"

	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Plan says what Onboard would do. It changes nothing and holds nothing: it
// can run beside a deploy.
func (s *Service) Plan(ctx context.Context, doc spec.Spec, sink event.Sink) (event.Plan, error) {
	p := plan.Build(doc)
	out := event.Plan{Org: p.Org, Hash: p.Hash, HashVersion: p.HashVersion, Decided: p, Notes: p.Notes}
	d, err := s.known(ctx, p)
	if err != nil {
		return out, fail(p.Org, "", err)
	}
	if err := s.checkExceptions(p); err != nil {
		return out, fail(p.Org, "", err)
	}
	if err := s.checkFixed(ctx, p); err != nil {
		return out, fail(p.Org, "", err)
	}
	if err := s.checkRemovals(ctx, p); err != nil {
		return out, fail(p.Org, "", err)
	}
	if err := s.checkForeseen(ctx, d); err != nil {
		return out, fail(p.Org, "", err)
	}
	if err := s.checkRelease(ctx, p, d); err != nil {
		return out, fail(p.Org, "", err)
	}
	emit := serialized(sink)
	var blocked error
	for _, l := range plan.Layers() {
		res := event.LayerResult{Layer: string(l), Stack: plan.StackName(p.Org, l), State: layerPending}
		began := s.Now()
		in, err := s.input(ctx, d, l)
		if errors.Is(err, errNotReady) {
			out.Layers = append(out.Layers, res)
			continue
		}
		if err != nil {
			return out, fail(p.Org, string(l), err)
		}
		st, err := s.stack(d, l, in)
		if err != nil {
			return out, fail(p.Org, string(l), err)
		}
		emit(event.Event{Type: event.LayerStarted, Time: began, Org: p.Org, Kind: "plan", Layer: string(l)})
		run, err := s.Engine.Preview(ctx, st, nil)
		if failed, ok := errors.AsType[*engine.Error](err); ok && errors.Is(err, engine.ErrPolicy) {
			// The other layers are looked at all the same: a person wants to
			// hear of all violations at once.
			res.State, res.Error, res.Duration = layerFailed, fail(p.Org, string(l), err).Error(), s.Now().Sub(began)
			out.Layers, out.Policy = append(out.Layers, res), append(out.Policy, failed.Policy...)
			blocked = joinBlocked(blocked, fail(p.Org, string(l), err))
			emit(event.Event{
				Type: event.LayerFailed, Time: s.Now(), Org: p.Org, Kind: "plan", Layer: string(l), Message: res.Error, Duration: res.Duration,
			})
			continue
		}
		if err != nil {
			return out, fail(p.Org, string(l), err)
		}
		if err := s.checkSteps(ctx, p.Org, run.Steps); err != nil {
			return out, fail(p.Org, string(l), err)
		}
		out.Policy = append(out.Policy, run.Policy...)
		res.State, res.Changes, res.Resources, res.Duration = layerDone, run.Changes, run.Resources(), s.Now().Sub(began)
		out.Layers = append(out.Layers, res)
		out.Changes = append(out.Changes, changesOf(l, run.Steps)...)
		emit(event.Event{
			Type: event.LayerFinished, Time: s.Now(), Org: p.Org, Kind: "plan", Layer: string(l),
			Changes: run.Changes, Duration: res.Duration,
		})
	}
	return out, blocked
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

// known is the org's data plane as far as the registry knows it, with the plan given.
func (s *Service) known(ctx context.Context, p plan.Plan) (dataPlane, error) {
	d := dataPlane{plan: p}
	layers, err := s.Registry.Layers(ctx, p.Org)
	if err != nil {
		return d, err
	}
	d.outs = outputsOf(layers)
	d.id, err = s.identity(ctx, p.Org)
	return d, err
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
