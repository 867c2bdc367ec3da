package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// OffboardPlan says what Offboard would remove, in its order, and what would
// become of the account. It changes nothing.
func (s *Service) OffboardPlan(ctx context.Context, org string, opts OffboardOptions) (event.Offboarding, error) {
	out := event.Offboarding{Org: org}
	o, d, err := s.remembered(ctx, org)
	if err != nil {
		return out, fail(org, "", err)
	}
	d, _, err = s.seen(ctx, d)
	if err != nil {
		return out, fail(org, "", err)
	}
	out.DataPlane = d.Summary()
	out.AccountClosed = closes(d.Plan, o.State, opts)
	out.AccountKept = !out.AccountClosed
	for _, l := range reversed() {
		out.Layers = append(out.Layers, d.Result(l))
	}
	return out, protected(d)
}

// closes reports whether the account of an org in a state is closed in the end.
// One that the customer brought never is.
func closes(p plan.Plan, state string, opts OffboardOptions) bool {
	if state == dataplane.OrgOffboarded {
		return p.Account.CloseOnOffboard // it is done, and recorded
	}
	return p.Account.Vended && (opts.CloseAccount || p.Account.CloseOnOffboard && !opts.KeepAccount)
}

// protected refuses to remove what deletion protection guards. An org without
// an account has nothing to guard.
func protected(d dataplane.DataPlane) error {
	if !d.Plan.Protected || !d.HasAccount() {
		return nil
	}
	return &Error{
		Org: d.Plan.Org, Err: fmt.Errorf("%w: deletionProtection is on", ErrProtected),
		Next: "set deletionProtection: false in the spec, run freehold onboard with it, and then offboard",
	}
}

func reversed() []plan.Layer {
	ls := plan.Layers()
	slices.Reverse(ls)
	return ls
}

// Offboard removes the org's data plane, the last layer first, and then closes
// its account or keeps it. It is complete only when the account's inventory is
// empty. It may be run again after a kill or a failure. A layer whose
// presence is unknown stops it before anything is removed.
func (s *Service) Offboard(ctx context.Context, org string, opts OffboardOptions, sink event.Sink) (event.Offboarding, error) {
	out := event.Offboarding{Org: org, Layers: []event.LayerResult{}}
	if _, err := s.of(org).Org(ctx); err != nil {
		return out, fail(org, "", err) // an org that is not known is not held
	}
	req, err := request("offboard", opts.Call, opts)
	if err != nil {
		return out, fail(org, "", err)
	}
	err = s.operate(ctx, org, req, sink, result(&out), func(ctx context.Context, r *run) (ending, error) {
		err := fail(org, "", r.offboard(ctx, org, opts, &out))
		out.Operation, out.Duration = r.op.ID(), r.Now().Sub(r.op.Began())
		return ending{result: out}, err
	})
	return out, err
}

func (r *run) offboard(ctx context.Context, org string, opts OffboardOptions, out *event.Offboarding) error {
	admitted, err := do(ctx, r.step("admit", ""), r.admitOffboarding, org)
	if err != nil {
		return err
	}
	d := admitted.DataPlane
	out.DataPlane = d.Summary()
	shut := closes(d.Plan, admitted.State, opts)
	if !shut {
		if d, err = r.keepAccount(ctx, d); err != nil {
			return err
		}
	}
	if err := r.putOrg(ctx, d, dataplane.OrgOffboarding); err != nil {
		return err
	}
	for _, l := range reversed() {
		gone, err := r.removeLayer(ctx, removeIn{DataPlane: d, Layer: l, Close: shut})
		d = gone.DataPlane
		out.Layers, out.Left = append(out.Layers, gone.Result), append(out.Left, gone.Left...)
		out.WayIn = cmp.Or(gone.WayIn, out.WayIn)
		if err != nil {
			return err
		}
	}
	had := d.Layer(plan.LayerAccount).State != ""
	out.AccountClosed, out.AccountKept = shut && had, !shut && had
	// Claims of what was never made hold nobody else up.
	if err := r.release(ctx, d, nil); err != nil {
		return err
	}
	d.Plan.Account.CloseOnOffboard = shut // from now on it says what was done
	return r.putOrg(ctx, d, dataplane.OrgOffboarded)
}

// keepAccount makes the account layer once more, so that its account outlives
// it: the engine removes what the state says, and the state of an org whose spec
// has closeOnOffboarding says that the account is closed with its resource.
func (r *run) keepAccount(ctx context.Context, d dataplane.DataPlane) (dataplane.DataPlane, error) {
	l := plan.LayerAccount
	if !d.Plan.Account.CloseOnOffboard || !d.Made(l) {
		return d, nil
	}
	if d.Layer(l).State == dataplane.Removing {
		return d, &Error{
			Org: d.Plan.Org, Layer: string(l), Err: fmt.Errorf("%w: the removal of the account has begun, and it closes the account", ErrInvalid),
			Next: "run the same command again without --keep-account",
		}
	}
	d.Plan.Account.CloseOnOffboard = false
	made, err := r.makeLayer(ctx, layerIn{DataPlane: d, Layer: l})
	return made.DataPlane, err
}

// leaving is an org that may be offboarded.
type leaving struct {
	// DataPlane is what of it is there.
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	// State is the org's, as the registry has it before the offboarding.
	State string `json:"state"`
}

// admitOffboarding refuses what is protected, and stops where the backend does
// not say what there is.
func (r *run) admitOffboarding(ctx context.Context, org string) (leaving, error) {
	o, d, err := r.remembered(ctx, org)
	if err != nil {
		return leaving{}, err
	}
	if d.Caller, err = r.caller(ctx); err != nil {
		return leaving{}, err
	}
	if o.State != dataplane.OrgOffboarded {
		if refused := dataplane.CheckCaller(d.Caller, o.Management); refused != nil {
			return leaving{}, refuse(org, *refused)
		}
	}
	d, _, err = r.seen(ctx, d)
	if err != nil {
		return leaving{}, err
	}
	if d, err = r.withLostAccount(ctx, d, d.Plan); err != nil {
		return leaving{}, err
	}
	if d.Plan.Account.Vended && d.HasAccount() && d.Outputs(plan.LayerAccount) == nil {
		return leaving{}, &Error{
			Org: org, Layer: string(plan.LayerAccount),
			Err:  fmt.Errorf("%w: the layer was never finished, so it is unknown whether its account is empty", ErrInvalid),
			Next: "run freehold onboard once more, until the account layer is done, and offboard then",
		}
	}
	return leaving{DataPlane: d, State: o.State}, protected(d)
}

// removeIn is one layer to remove.
type removeIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Layer     plan.Layer          `json:"layer"`
	// Close closes the account once its layer is gone.
	Close bool `json:"close,omitempty"`
}

// removeOut is what came of it.
type removeOut struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Result    event.LayerResult   `json:"result"`
	// Left is what is still in the account.
	Left []finding.Finding `json:"left,omitempty"`
	// WayIn is the customer's, and stays.
	WayIn *finding.WayIn `json:"wayIn,omitempty"`
}

// remains is what is in an account once its layers are gone.
type remains struct {
	Left  []finding.Finding `json:"left,omitempty"`
	WayIn *finding.WayIn    `json:"wayIn,omitempty"`
}

// removedUnseen reports whether a layer is removed although what a killed run left
// of it could not all be seen, and says so. A program that fails for good, such as in
// a region that lacks what it asks for, must not keep its layer for ever.
func (r *run) removedUnseen(l plan.Layer, err error) bool {
	if !failsForGood(err) {
		return false
	}
	r.op.Emit(event.Event{
		Type: event.Diagnostic, Layer: string(l),
		Message: "not everything that an interrupted run may have made could be looked for: " + err.Error() + "; what is recorded is removed all the same, and what is left then is listed at the end",
	})
	return true
}

// removeLayer removes a layer:
//
//	adopt    an unclean layer: what no state records would be left behind
//	prepare  what stands in the way of a removal and is no resource
//	queue    the account, if it is to be closed: other orgs' are closed first
//	destroy  the engine removes the resources, and the stack
//	forget   the account is closed, if it is to be, and the layer recorded as removed
//
// A layer that is not there is skipped, and is not recorded as removed.
func (r *run) removeLayer(ctx context.Context, in removeIn) (out removeOut, err error) {
	began := r.Now()
	d, l := in.DataPlane, in.Layer
	ctx = r.hearing(ctx, l)
	out = removeOut{DataPlane: d, Result: event.LayerResult{Layer: string(l), Stack: plan.StackName(d.Plan.Org, l), State: dataplane.Removed}}
	was := d.Layer(l)
	r.op.Emit(event.Event{Type: event.LayerStarted, Layer: string(l), Op: "delete", Total: was.Resources})
	defer func() {
		out.Result.Duration = r.Now().Sub(began)
		ev := event.Event{Type: event.LayerFinished, Layer: string(l), Duration: out.Result.Duration, Changes: out.Result.Changes}
		if err != nil {
			err = fail(d.Plan.Org, string(l), err)
			out.Result.State, out.Result.Error = dataplane.Failed, err.Error()
			ev.Type, ev.Message = event.LayerFailed, err.Error()
			rec := out.DataPlane.Layer(l)
			if rec.State != "" {
				rec.Error = err.Error()
				err = errors.Join(err, r.op.PutLayer(context.WithoutCancel(ctx), rec))
			}
		}
		r.op.Emit(ev)
	}()
	found, err := r.held(ctx, d, l)
	if err != nil {
		return out, err
	}
	there, err := d.Presence(l, found)
	if err != nil {
		return out, err
	}
	if there {
		if out, err = r.removeThere(ctx, in, out); err != nil {
			return out, err
		}
	} else if state := d.Layer(l).State; state != dataplane.Removing {
		// Nobody has removed it: it was never made, or an earlier run has
		// recorded its removal.
		if state != dataplane.Removed {
			out.Result.State = dataplane.Skipped
		}
		return out, nil
	}
	if err := r.queueToClose(ctx, removeIn{DataPlane: out.DataPlane, Layer: l, Close: in.Close}); err != nil {
		return out, err
	}
	gone, err := do(ctx, r.step("forget", l), r.forget, removeIn{DataPlane: out.DataPlane, Layer: l, Close: in.Close})
	if err == nil {
		out.DataPlane = gone
		r.took(ctx, was, l, forecast.Removal, r.Now().Sub(began))
	}
	return out, err
}

// removeThere removes a layer whose stack is there.
func (r *run) removeThere(ctx context.Context, in removeIn, out removeOut) (removeOut, error) {
	d, l := in.DataPlane, in.Layer
	if l == plan.LayerBootstrap {
		why, err := r.lost(ctx, d)
		if err != nil {
			return out, err
		}
		if why != "" {
			gone, err := do(ctx, r.step("destroy", l), r.destroyLost, lostIn{DataPlane: d, Why: why})
			if gone.Plan.Org != "" {
				out.DataPlane = gone
			}
			return out, err
		}
	}
	_, err := r.stack(ctx, d, l)
	known := err == nil // the layers before it are made, and so its input is known
	if err != nil && !errors.Is(err, dataplane.ErrNotReady) {
		return out, err
	}
	if d.Layer(l).Unclean && known {
		_, err := do(ctx, r.step("adopt", l), r.adopt, layerIn{DataPlane: d, Layer: l})
		if err != nil && !r.removedUnseen(l, err) {
			return out, err
		}
	}
	left, err := do(ctx, r.step("prepare", l), r.prepareRemoval, in)
	out.Left, out.WayIn = left.Left, left.WayIn
	if err != nil {
		return out, err
	}
	if err := r.queueToClose(ctx, in); err != nil {
		return out, err
	}
	rec := d.Layer(l)
	rec.State = dataplane.Removing
	if err := r.op.PutLayer(ctx, rec); err != nil {
		return out, err
	}
	out.DataPlane = d.With(rec)
	changes, err := do(ctx, r.step("destroy", l), r.destroy, layerIn{DataPlane: out.DataPlane, Layer: l})
	out.Result.Changes = changes
	return out, err
}

// lostIn is a data plane whose cluster is gone, and how that is known.
type lostIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Why       string              `json:"why"`
}

// destroyLost removes the stack of objects whose cluster is gone: there is nobody
// to remove them, and nothing to be removed.
func (r *run) destroyLost(ctx context.Context, in lostIn) (dataplane.DataPlane, error) {
	d, err := r.forgetLost(ctx, in.DataPlane, in.Why, dataplane.Removing)
	if err != nil {
		return d, err
	}
	_, err = r.Engine.Destroy(ctx, stackOf(d.Plan.Org, plan.LayerBootstrap), r.op.Emit)
	return d, err
}

// prepareRemoval does what has to be done before the engine removes the layer's
// resources. It returns what is still in the account, for the layer to which
// that matters.
func (r *run) prepareRemoval(ctx context.Context, in removeIn) (remains, error) {
	d, l := in.DataPlane, in.Layer
	if err := r.checkState(ctx, d.Plan.Org, l); err != nil {
		return remains{}, err
	}
	switch l {
	case plan.LayerAccount:
		if !d.HasAccount() && d.Plan.Protected {
			// Without an account there is nothing that the protection is for.
			return remains{}, r.Engine.Unprotect(ctx, stackOf(d.Plan.Org, l), r.op.Emit)
		}
		return r.checkEmpty(ctx, d)
	case plan.LayerCluster:
		if d.Outputs(l) != nil {
			return remains{}, r.protectCluster(ctx, d, false)
		}
	case plan.LayerBootstrap:
		if d.Outputs(plan.LayerCluster) == nil {
			return remains{}, nil
		}
		if err := r.reviveController(ctx, d, toLetGo); err != nil {
			return remains{}, err
		}
		// The org's name was said, and everything goes.
		var names []string
		for _, p := range d.Plan.Bootstrap.Projects {
			names = append(names, p.Name)
		}
		if err := r.confirmDeletion(ctx, d, d.Plan, names...); err != nil {
			return remains{}, err
		}
		return remains{}, r.removeUnrecorded(ctx, d)
	case plan.LayerBoundary:
	}
	return remains{}, nil
}

// destroy removes the layer's resources and its stack.
func (r *run) destroy(ctx context.Context, in layerIn) (map[string]int, error) {
	st, err := r.stack(ctx, in.DataPlane, in.Layer)
	if errors.Is(err, dataplane.ErrNotReady) {
		st, err = stackOf(in.DataPlane.Plan.Org, in.Layer), nil
	}
	if err != nil {
		return nil, err
	}
	var result engine.Result
	remove := func() (err error) {
		result, err = r.Engine.Destroy(ctx, st, r.op.Emit)
		return err
	}
	d := in.DataPlane
	if in.Layer == plan.LayerBootstrap && d.Outputs(plan.LayerCluster) != nil && len(d.Plan.Bootstrap.Declared().Projects) > 0 {
		err = r.tellingWhatGoes(ctx, d, remove)
	} else {
		err = remove()
	}
	return result.Changes, err
}

// forget records that a layer is gone. The account is closed before: its
// outputs are the way into it.
func (r *run) forget(ctx context.Context, in removeIn) (dataplane.DataPlane, error) {
	d, l := in.DataPlane, in.Layer
	if l == plan.LayerAccount && in.Close && d.Outputs(l) != nil {
		a, err := d.Account()
		if err == nil {
			err = r.Cloud.CloseAccount(ctx, a.ID)
		}
		if err != nil {
			return d, fmt.Errorf("close the account: %w", err)
		}
	}
	rec := registry.Layer{Layer: string(l), State: dataplane.Removed}
	if err := r.op.PutLayer(context.WithoutCancel(ctx), rec); err != nil {
		return d, err
	}
	return d.With(rec), nil
}

// checkEmpty lists what is still in the account once its layers are gone, and
// refuses to go on while anything is.
func (r *run) checkEmpty(ctx context.Context, d dataplane.DataPlane) (remains, error) {
	if d.Outputs(plan.LayerAccount) == nil {
		return remains{}, nil // nothing was made in it
	}
	a, items, err := r.listed(ctx, d)
	if err != nil {
		return remains{}, err
	}
	in := wayIn(items)
	items = slices.DeleteFunc(items, byCloud)
	if len(items) == 0 {
		return remains{WayIn: in}, nil
	}
	return remains{findings(items), in}, &Error{
		Org: d.Plan.Org, Layer: string(plan.LayerAccount),
		Err:  fmt.Errorf("account %s is not empty: %d things that no layer made are still in it, the first %s %q", a.ID, len(items), items[0].Type, items[0].ID),
		Next: "remove them (they are listed with -o json), and run the same command again",
	}
}
