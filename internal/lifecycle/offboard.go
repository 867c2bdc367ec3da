package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// OffboardPlan says what Offboard would remove, in its order. It changes nothing.
func (s *Service) OffboardPlan(ctx context.Context, org string) (event.Offboarding, error) {
	out := event.Offboarding{Org: org}
	o, err := s.Registry.Org(ctx, org)
	if err != nil {
		return out, fail(org, "", err)
	}
	d, layers, err := s.recorded(ctx, o)
	if err != nil {
		return out, fail(org, "", err)
	}
	out.DataPlane = facts(d.plan, d.outs)
	out.AccountKept = !d.plan.Account.Vended || !d.plan.Account.CloseOnOffboard
	for _, l := range reversed() {
		res := event.LayerResult{Layer: string(l), Stack: plan.StackName(org, l), State: layerPending}
		if rec, ok := layers[string(l)]; ok {
			res.State, res.Resources = rec.State, rec.Resources
		}
		out.Layers = append(out.Layers, res)
	}
	return out, protected(d.plan)
}

// protected refuses to remove what deletion protection guards.
func protected(p plan.Plan) error {
	if !p.Protected {
		return nil
	}
	return &Error{
		Org: p.Org, Err: fmt.Errorf("%w: deletionProtection is on", ErrProtected),
		Next: "set deletionProtection: false in the spec, run freehold onboard with it, and then offboard",
	}
}

func reversed() []plan.Layer {
	ls := plan.Layers()
	slices.Reverse(ls)
	return ls
}

// Offboard removes the org's data plane, the last layer first, and then closes
// its account or keeps it, as told. It is complete only when the account's
// inventory is empty. It may be run again after a kill or a failure.
func (s *Service) Offboard(ctx context.Context, org string, opts OffboardOptions, sink event.Sink) (event.Offboarding, error) {
	out := event.Offboarding{Org: org}
	o, err := s.Registry.Org(ctx, org)
	if err != nil {
		return out, fail(org, "", err)
	}
	op, err := s.begin(ctx, org, "offboard", sink)
	if err != nil {
		return out, err
	}
	out.Operation = op.ID
	err = fail(org, "", s.offboard(ctx, op, o, opts, &out))
	out.Duration = s.Now().Sub(op.began)
	return out, s.end(ctx, op, nil, err)
}

func (s *Service) offboard(ctx context.Context, op *operation, o registry.Org, opts OffboardOptions, out *event.Offboarding) error {
	d, layers, err := s.recorded(ctx, o)
	if err != nil {
		return err
	}
	if err := protected(d.plan); err != nil {
		return err
	}
	if d.id, err = s.identity(ctx, o.Org); err != nil {
		return err
	}
	out.DataPlane = facts(d.plan, d.outs)
	shut := d.plan.Account.Vended && (opts.CloseAccount || d.plan.Account.CloseOnOffboard && !opts.KeepAccount)
	if err := s.putOrg(ctx, d, "offboarding"); err != nil {
		return err
	}
	for _, l := range reversed() {
		// Once the account's own stack is gone an earlier run has found it empty.
		if l == plan.LayerAccount && s.Engine.Exists(stackRef(o.Org, l)) {
			if err := s.checkEmpty(ctx, d, out); err != nil {
				return err
			}
		}
		if err := s.offboardLayer(ctx, op, d, l, layers[string(l)], out); err != nil {
			return err
		}
		if l == plan.LayerAccount && shut && d.outs[l] != nil {
			if err := s.closeAccount(ctx, d); err != nil {
				return err
			}
		}
		// Last: the account's outputs are the way into it.
		if err := s.forgetLayer(ctx, o.Org, l); err != nil {
			return err
		}
	}
	out.AccountClosed, out.AccountKept = shut, !shut
	return s.putOrg(ctx, d, "offboarded")
}

func (s *Service) offboardLayer(ctx context.Context, op *operation, d dataPlane, l plan.Layer, rec registry.Layer,
	out *event.Offboarding,
) (err error) {
	began := s.Now()
	org := d.plan.Org
	res := event.LayerResult{Layer: string(l), Stack: plan.StackName(org, l), State: layerRemoved}
	op.emit(event.Event{Type: event.LayerStarted, Layer: string(l), Total: rec.Resources})
	defer func() {
		res.Duration = s.Now().Sub(began)
		ev := event.Event{Type: event.LayerFinished, Layer: string(l), Duration: res.Duration, Changes: res.Changes}
		if err != nil {
			err = fail(org, string(l), err)
			res.State, res.Error = layerFailed, err.Error()
			ev.Type, ev.Message = event.LayerFailed, err.Error()
		}
		out.Layers = append(out.Layers, res)
		op.emit(ev)
	}()

	in, err := s.input(ctx, d, l)
	if err != nil && !errors.Is(err, errNotReady) {
		return err
	}
	known := err == nil
	st := stackRef(org, l)
	if known {
		if st, err = s.stack(d, l, in); err != nil {
			return err
		}
	}
	if !s.Engine.Exists(st) {
		res.State = layerSkipped
		return nil
	}
	if op.Unclean && known {
		find, err := s.finder(d, l)
		if err != nil {
			return err
		}
		if _, err := s.Engine.Adopt(ctx, st, find, op.emit); err != nil {
			return err
		}
	}
	if err := s.checkState(ctx, org, l); err != nil {
		return err
	}
	if l == plan.LayerCluster && d.outs[l] != nil {
		if err := s.protectCluster(ctx, d, false); err != nil {
			return err
		}
	}
	if l == plan.LayerBootstrap && known {
		// The org's name was said, and everything goes.
		var names []string
		for _, p := range d.plan.Bootstrap.Projects {
			names = append(names, p.Name)
		}
		if err := s.confirmDeletion(ctx, d, names...); err != nil {
			return err
		}
		if err := s.removeUnrecorded(ctx, op, d); err != nil {
			return err
		}
	}
	run, err := s.Engine.Destroy(ctx, st, op.emit)
	res.Changes = run.Changes
	return err
}

// stackRef is a layer's stack without an input: enough to ask for it and to destroy it.
func stackRef(org string, l plan.Layer) engine.Stack {
	return engine.Stack{Org: org, Layer: string(l), Name: plan.StackName(org, l), Program: stacks.Program(l)}
}

func (s *Service) closeAccount(ctx context.Context, d dataPlane) error {
	o, err := stacks.Decode[stacks.AccountOut](d.outs[plan.LayerAccount])
	if err == nil {
		err = s.Cloud.CloseAccount(ctx, o.AccountID)
	}
	if err != nil {
		return fail(d.plan.Org, string(plan.LayerAccount), fmt.Errorf("close the account: %w", err))
	}
	return nil
}

// forgetLayer records that a layer is gone.
func (s *Service) forgetLayer(ctx context.Context, org string, l plan.Layer) error {
	return s.Registry.PutLayer(context.WithoutCancel(ctx), org, registry.Layer{Layer: string(l), State: layerRemoved})
}

// checkEmpty lists what is still in the account once its layers are gone.
func (s *Service) checkEmpty(ctx context.Context, d dataPlane, out *event.Offboarding) error {
	if d.outs[plan.LayerAccount] == nil {
		return nil
	}
	a, err := d.account("", "")
	if err != nil {
		return err
	}
	items, err := s.Cloud.Inventory(ctx, a)
	if err != nil {
		return fmt.Errorf("list account %s: %w", a.ID, err)
	}
	for _, it := range items {
		if !it.ByCloud {
			out.Left = append(out.Left, findingOf(it))
		}
	}
	if len(out.Left) == 0 {
		return nil
	}
	return &Error{
		Org: d.plan.Org, Layer: string(plan.LayerAccount),
		Err:  fmt.Errorf("account %s is not empty: %d things that no layer made are still in it, the first %s %q", a.ID, len(out.Left), out.Left[0].Type, out.Left[0].ID),
		Next: "remove them (they are listed with -o json), and run the same command again",
	}
}
