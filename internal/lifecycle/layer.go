package lifecycle

import (
	"context"
	"errors"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/unknown"
)

// layerIn is what the steps of one layer work on.
type layerIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Layer     plan.Layer          `json:"layer"`
	Prune     bool                `json:"prune,omitempty"`
	// New is true where the layer was not made before this run.
	New bool `json:"new,omitempty"`
}

// layerOut is what came of it: the data plane with the layer's new record, and
// what there is to report. It is complete also when the step failed.
type layerOut struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Result    event.LayerResult   `json:"result"`
	Policy    []finding.Policy    `json:"policy,omitempty"`
	Declared  drift.Declared      `json:"declared,omitempty"`
	// PutBack is what was not as it should be beside what the engine sees.
	PutBack []finding.Finding `json:"putBack,omitempty"`
	// Pruned is what stood where the layer had something to make.
	Pruned []finding.Finding `json:"pruned,omitempty"`
}

// makeLayer is the sequence of steps by which a layer is made or changed.
//
//	zones   those of the account that a network is to be in, before the cluster
//	claim   what the layer is about to have is the org's, or it is refused
//	move    what the bootstrap layer had in a cluster that is gone is forgotten
//	adopt   an unclean layer: what a killed run made and did not record is recorded
//	clear   with prune: what takes a place that the layer needs goes
//	expose  what nobody is on record for stays in sight, and what no update can
//	        change back is put back
//	queue   a new account: other orgs' accounts are created first
//	up      the engine brings the resources to what the plan says; of a cluster
//	        in two runs where pods have to move, see upGroups, and of objects
//	        in two where nobody can change one of them, see remaking
//	putBack what the engine does not see of them is put back
//	settle  what belongs to the layer and is no resource: claims, settings, waits
func (r *run) makeLayer(ctx context.Context, in layerIn) (out layerOut, err error) {
	began := r.Now()
	d, l := in.DataPlane, in.Layer
	ctx = r.hearing(ctx, l)
	was, first, op := d.Layer(l), d.Outputs(l) == nil, "update"
	if first {
		op = "create"
	}
	r.op.Emit(event.Event{Type: event.LayerStarted, Layer: string(l), Op: op, Total: r.expected(ctx, d, l)})
	out = layerOut{DataPlane: d, Result: event.LayerResult{Layer: string(l), Stack: plan.StackName(d.Plan.Org, l)}}
	defer func() {
		rec := out.DataPlane.Layer(l)
		rec.Duration = r.Now().Sub(began)
		rec.State, rec.Error = dataplane.Done, ""
		ev := event.Event{Type: event.LayerFinished, Layer: string(l), Duration: rec.Duration, Changes: out.Result.Changes}
		if err != nil {
			err = fail(d.Plan.Org, string(l), err)
			rec.State, rec.Error = dataplane.Failed, err.Error()
			ev.Type, ev.Message = event.LayerFailed, err.Error()
		}
		out.Result.State, out.Result.Error, out.Result.Duration, out.Result.Resources = rec.State, rec.Error, rec.Duration, rec.Resources
		out.DataPlane = out.DataPlane.With(rec)
		if err = errors.Join(err, r.op.PutLayer(context.WithoutCancel(ctx), rec)); err == nil {
			kind := ran(out.Result.Changes)
			if first {
				kind = forecast.First
			}
			r.took(ctx, was, l, kind, rec.Duration)
		}
		r.op.Emit(ev)
	}()
	if l == plan.LayerCluster {
		// The account of a new org could not be asked before.
		settled, err := do(ctx, r.step("zones", l), r.settleZones, d)
		if err != nil {
			return out, err
		}
		d, in.DataPlane, out.DataPlane = settled, settled, settled
	}
	if _, err := do(ctx, r.step("claim", l), r.claimLayer, in); err != nil {
		return out, err
	}
	if l == plan.LayerCluster {
		if in.DataPlane, err = do(ctx, r.step("groups", l), r.seeGroups, in); err != nil {
			return out, err
		}
	}
	if l == plan.LayerBootstrap {
		rec, err := do(ctx, r.step("move", l), r.move, in)
		if err != nil {
			return out, err
		}
		d = d.With(rec)
		in.DataPlane, out.DataPlane = d, d
	}
	if d.Layer(l).Unclean {
		if _, err := do(ctx, r.step("adopt", l), r.adopt, in); err != nil {
			return out, err
		}
	}
	if in.Prune {
		if out.Pruned, err = do(ctx, r.step("clear", l), r.clear, in); err != nil {
			return out, err
		}
	}
	in.New = d.Outputs(l) == nil
	if l == plan.LayerBootstrap && d.Made(l) {
		if out.PutBack, err = do(ctx, r.step("expose", l), r.expose, in); err != nil {
			return out, err
		}
	}
	up := r.upLayer
	switch l {
	case plan.LayerCluster:
		up = r.upGroups
	case plan.LayerBootstrap:
		up = r.upObjects
	case plan.LayerAccount, plan.LayerBoundary:
	}
	leave, err := r.queueToCreate(ctx, in)
	if err != nil {
		return out, err
	}
	made, err := up(ctx, in)
	err = leave(err)
	made.Result.Stack, made.Pruned, made.PutBack = out.Result.Stack, out.Pruned, out.PutBack
	if out = made; err != nil {
		return out, err
	}
	in.DataPlane = out.DataPlane
	if l == plan.LayerBootstrap {
		then, err := do(ctx, r.step("putback", l), r.putBack, in)
		if out.PutBack = append(out.PutBack, then...); err != nil {
			return out, err
		}
	}
	set, err := do(ctx, r.step("settle", l), r.settle, in)
	out.PutBack = append(out.PutBack, set...)
	out.Result = counted(out.Result, len(out.PutBack))
	return out, err
}

// settleZones refuses zones that the account does not have or EKS does not, and
// records the ones that take the place of defaults before a network is in them.
func (r *run) settleZones(ctx context.Context, d dataplane.DataPlane) (dataplane.DataPlane, error) {
	settled, zones, err := r.inZones(ctx, d)
	if err != nil {
		return d, err
	}
	if err := refuse(d.Plan.Org, dataplane.CheckZones(settled, zones)...); err != nil {
		return d, err
	}
	if settled.Plan.Hash == d.Plan.Hash {
		return d, nil
	}
	return settled, r.putOrg(ctx, settled, dataplane.OrgOnboarding)
}

// claimLayer refuses what cannot be begun, and writes down what the layer is
// about to have.
func (r *run) claimLayer(ctx context.Context, in layerIn) (none, error) {
	d, l := in.DataPlane, in.Layer
	if err := r.claimForeseen(ctx, d); err != nil {
		return none{}, err
	}
	if err := r.checkState(ctx, d.Plan.Org, l); err != nil {
		return none{}, err
	}
	return none{}, r.checkQuotas(ctx, d, l)
}

// none is the result of a step that has none.
type none struct{}

// checkQuotas refuses to begin a layer that the account's service quotas leave
// no room for.
func (s *Service) checkQuotas(ctx context.Context, d dataplane.DataPlane, l plan.Layer) error {
	needs := d.Needs(l)
	if needs == nil {
		return nil
	}
	a, err := d.Works(l)
	if err != nil {
		return err
	}
	quotas, err := s.Cloud.Quotas(ctx, a)
	if err != nil {
		return err
	}
	full := dataplane.Full(a.ID, needs, quotas)
	if full == nil {
		return nil
	}
	return &Error{
		Org: d.Plan.Org, Layer: string(l), Next: full.Next, Refusals: []dataplane.Refusal{*full},
		Err: &because{text: ErrPending.Error() + ": " + full.Message, err: ErrPending},
	}
}

// adopt records what a killed run of the layer has made without recording it.
func (r *run) adopt(ctx context.Context, in layerIn) (none, error) {
	d, l := in.DataPlane, in.Layer
	info, err := r.Engine.Stat(ctx, stackOf(d.Plan.Org, l))
	if err != nil || !info.Exists {
		return none{}, err
	}
	st, err := r.stack(ctx, d, l)
	if err != nil {
		return none{}, err
	}
	find, err := r.finder(d, l)
	if err != nil {
		return none{}, err
	}
	_, err = r.Engine.Adopt(ctx, st, find, r.op.Emit)
	if l == plan.LayerBootstrap && failsForGood(err) {
		// Of this layer nothing is looked for, so nothing was missed: the Up reports it, or
		// a later step sees to it first.
		return none{}, nil
	}
	return none{}, err
}

// finder looks up, in the account that a layer works in, what an interrupted
// run may have left behind.
func (s *Service) finder(d dataplane.DataPlane, l plan.Layer) (engine.Finder, error) {
	if l == plan.LayerBootstrap {
		// Objects of Kubernetes are applied by name: making one twice is the same as once.
		return func(context.Context, engine.Step) (engine.Found, bool, error) { return engine.Found{}, false, nil }, nil
	}
	a, err := d.Works(l)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, st engine.Step) (engine.Found, bool, error) {
		// A lost resource was made when all that identifies it was known. What is
		// not known has no id, and the engine's text for it is not one.
		if row, known := awstype.Of(st.Type); known && !row.Identified(st.NewInputs) {
			return engine.Found{}, false, nil
		}
		id, err := s.Cloud.Find(ctx, a, st.Type, unknown.Without(st.NewInputs))
		if errors.Is(err, cloud.ErrNotFound) {
			return engine.Found{}, false, nil
		}
		return engine.Found{ID: id, Outputs: awstype.ReadBy(st.Type, id)}, err == nil, err
	}, nil
}

// upLayer is the step that runs the layer's program. Another attempt at it goes
// on where the one before has left the layer, and looks first for what that made
// without recording it.
func (r *run) upLayer(ctx context.Context, in layerIn) (layerOut, error) {
	var left *layerOut
	made, err := do(ctx, r.step("up", in.Layer), func(ctx context.Context, in layerIn) (layerOut, error) {
		if left != nil {
			in.DataPlane = left.DataPlane
			if _, err := r.adopt(ctx, in); err != nil {
				return *left, err
			}
		}
		out, err := r.up(ctx, in)
		left = &out
		return out, err
	}, in)
	if left == nil {
		// It never began.
		made = layerOut{DataPlane: in.DataPlane, Result: event.LayerResult{Layer: string(in.Layer)}}
	}
	return made, err
}

// up runs the layer's program. The layer is unclean from before the first write
// until the engine has seen everything and succeeded.
func (r *run) up(ctx context.Context, in layerIn) (layerOut, error) {
	d, l := in.DataPlane, in.Layer
	out := layerOut{DataPlane: d, Result: event.LayerResult{Layer: string(l)}}
	st, err := r.stack(ctx, d, l)
	if err != nil {
		return out, err
	}
	was := d.Layer(l)
	if was.State == dataplane.Removed || was.State == dataplane.Removing {
		was = registry.Layer{Layer: string(l), Unclean: was.Unclean}
	}
	rec := was
	rec.State, rec.Unclean, rec.Error = dataplane.Making, true, ""
	if err := r.op.PutLayer(ctx, rec); err != nil {
		return out, err
	}
	begins := &firstWrite{run: r, ctx: ctx, rec: rec}
	result, err := r.Engine.Up(ctx, st, begins.sink)
	out.Result.Changes = result.Changes
	if err != nil {
		if failed, ok := errors.AsType[*engine.Error](err); ok {
			out.Policy = failed.Policy
		}
		out.DataPlane = r.left(ctx, d, was, rec, err)
		return out, err
	}
	rec.Unclean, rec.Made, rec.Outputs, rec.Resources = false, true, result.Outputs, result.Resources()
	out.DataPlane, out.Policy, out.Declared = d.With(rec), settled(result.Policy), drift.Declared{}
	declare(out.Declared, result.Steps)
	// Recorded before anything else is done with it: what follows is repeated
	// from here.
	if err := r.op.PutLayer(context.WithoutCancel(ctx), rec); err != nil {
		return out, err
	}
	return out, r.claimMade(ctx, d.Plan.Org, result.Steps)
}

// left is the data plane after a run of a layer that failed: what is there of
// the layer now, as far as that can be told. rec is what was recorded when the
// run began, was what had been before.
func (r *run) left(ctx context.Context, d dataplane.DataPlane, was, rec registry.Layer, err error) dataplane.DataPlane {
	if errors.Is(err, engine.ErrPolicy) {
		// The rules are asked before anything is made.
		rec.Unclean = was.Unclean
	}
	// The failure may be that ctx has ended.
	ctx = context.WithoutCancel(ctx)
	l := plan.Layer(rec.Layer)
	d = d.With(rec)
	found, err := r.held(ctx, d, l)
	if err == nil {
		rec.Resources, rec.Made = found.Resources, found.Resources+found.Pending > 0
		d = d.With(rec).WithBegun(l, found.Types)
		if l == plan.LayerAccount {
			d, err = r.withLostAccount(ctx, d, d.Plan)
		}
	}
	if err != nil {
		// It cannot be told, and "no" would let somebody else have it.
		rec.Made = true
		d = d.With(rec).WithBegun(l, []string{accountType})
	}
	return d
}

// firstWrite hands events on, and records that the layer has begun to make
// things before the first is reported.
type firstWrite struct {
	run  *run
	ctx  context.Context //nolint:containedctx // a sink has no context of its own
	rec  registry.Layer
	once sync.Once
}

func (f *firstWrite) sink(ev event.Event) {
	if ev.Type == event.ResourceStarted && ev.Op == "create" && !strings.HasPrefix(ev.ResourceType, "pulumi:") {
		f.once.Do(func() {
			if f.rec.Made {
				return
			}
			f.rec.Made = true
			if err := f.run.op.PutLayer(f.ctx, f.rec); err != nil {
				f.run.Log.WarnContext(f.ctx, "the layer is not recorded as begun", "layer", f.rec.Layer, "err", err)
			}
		})
	}
	f.run.op.Emit(ev)
}

// settle does what belongs to a layer and is no Pulumi resource, and returns
// what of it was not as it should be.
func (r *run) settle(ctx context.Context, in layerIn) ([]finding.Finding, error) {
	d, l := in.DataPlane, in.Layer
	ids, err := d.Gave(l)
	if err != nil {
		return nil, err
	}
	if err := r.claim(ctx, d.Plan.Org, true, ids...); err != nil {
		return nil, err
	}
	set, err := r.setBeside(ctx, in)
	if err != nil {
		return nil, err
	}
	switch l {
	case plan.LayerAccount:
		a, err := d.Account()
		if err != nil {
			return nil, err
		}
		return set, r.awaitUsable(ctx, a)
	case plan.LayerBootstrap:
		return set, r.awaitProjects(ctx, d)
	case plan.LayerCluster, plan.LayerBoundary:
	}
	return set, nil
}

// expected guesses how many resources a layer has: as many as it had before,
// or as that of another org. 0 is "not known".
func (s *Service) expected(ctx context.Context, d dataplane.DataPlane, l plan.Layer) int {
	if n := d.Layer(l).Resources; n > 0 {
		return n
	}
	n, err := s.fleet().Resources(ctx, string(l))
	if err != nil {
		return 0 // it is a guess
	}
	return n
}

// declare notes what a layer has.
func declare(declared drift.Declared, steps []engine.Step) {
	for _, st := range steps {
		if st.Op == "delete" {
			continue
		}
		declared.Add(st.Type, st.ID, st.Inputs())
	}
}
