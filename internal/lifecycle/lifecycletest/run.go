package lifecycletest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
)

// run is one run of a stack.
type run struct {
	e     *Engine
	stack engine.Stack
	doing string
	on    Call
	sink  event.Sink
	res   engine.Result
	// fault is the run's own, and left how many resources it makes before that.
	fault *Fault
	left  int
}

func (e *Engine) run(ctx context.Context, s engine.Stack, on Call, doing string, sink event.Sink) (engine.Result, error) {
	r := &run{e: e, stack: s, on: on, doing: doing, sink: sink, res: engine.Result{Changes: map[string]int{}}}
	if err := r.begin(ctx); err != nil {
		if on == Up || on == Destroy {
			return r.recorded(), err
		}
		return engine.Result{}, err
	}
	if on == Up || on == Destroy {
		release, err := e.hold(s, doing)
		if err != nil {
			return engine.Result{}, err
		}
		defer release()
	}
	var err error
	switch on {
	case PreviewRefresh:
		err = r.refresh()
	case Destroy:
		err = r.destroy(ctx)
	default:
		err = r.up(ctx)
	}
	if err == nil && r.fault != nil {
		err = r.fault.Err
	}
	if err != nil {
		if on == Preview || on == PreviewRefresh {
			// A preview that fails half-way still says what it would do so far;
			// the engine hands that to Adopt only.
			return engine.Result{Steps: r.res.Steps}, err
		}
		return r.recorded(), err
	}
	return r.res, nil
}

// recorded is the result of a run that failed, with how many resources its state
// has now.
func (r *run) recorded() engine.Result {
	res := engine.Result{Changes: r.res.Changes, Steps: r.res.Steps}
	if st, _, err := r.state(); err == nil {
		n := len(st.Resources)
		res.Recorded = &n
	}
	return res
}

// begin refuses what no run may begin with.
func (r *run) begin(ctx context.Context) error {
	if err := r.interrupted(ctx); err != nil {
		return err
	}
	w, p := r.e.p.w, r.e.p
	return p.read(func() error {
		r.fault = w.fault(r.on, r.stack.Layer)
		if r.fault != nil {
			r.left = r.fault.Made
			if r.left == 0 {
				return r.fault.Err
			}
		}
		if err := p.unlocks(r.stack); err != nil {
			return err
		}
		if r.on == Up {
			return r.allowed()
		}
		return nil
	})
}

// allowed refuses a run that the rules do not allow. The caller holds w.mu.
func (r *run) allowed() error {
	found := r.e.p.w.rules[r.stack.Layer]
	if len(found) == 0 {
		return nil
	}
	return &engine.Error{
		Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrPolicy, Policy: slices.Clone(found),
		Next: "change what the rule names, or record an accepted exception in the spec",
	}
}

func (r *run) interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return &engine.Error{
		Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrCancelled, Detail: "the run was interrupted, and its state is valid",
		Next: "run the same command again: it goes on where it stopped",
	}
}

// dry reports whether the run only looks.
func (r *run) dry() bool { return r.on == Preview }

// failed is a failure of one resource, in the cloud's words.
func (r *run) failed(st engine.Step, cause error) error {
	r.e.emit(r.sink, r.stack, event.ResourceFailed, st, cause.Error())
	return &engine.Error{
		Stack: r.stack.Name, Doing: r.doing, Kind: kindOf(cause), Next: "run the same command again: it goes on where it stopped",
		Failures: []engine.Failure{{
			URN: st.URN, Type: st.Type, Name: st.Name, Op: st.Op, Message: cause.Error(),
			Immutable: errors.Is(kindOf(cause), engine.ErrImmutable), OldInputs: st.OldInputs, NewInputs: st.NewInputs,
		}},
	}
}

// refusal is the cloud's no to a write.
type refusal struct{ error }

// began counts a resource against the run's fault.
func (r *run) began() error {
	if r.fault == nil || r.left < 0 {
		return nil
	}
	if r.left == 0 {
		return r.fault.Err
	}
	r.left--
	return nil
}

// done notes a step that has ended.
func (r *run) done(st engine.Step) {
	r.res.Steps = append(r.res.Steps, st)
	r.res.Changes[st.Op]++
	if !r.dry() {
		r.e.emit(r.sink, r.stack, event.ResourceFinished, st, "")
	}
}

// state is a copy of the stack's state.
func (r *run) state() (st stack, ok bool, err error) {
	err = r.e.p.read(func() error {
		var at *stack
		if at, ok = r.e.p.states()[r.stack.Name]; ok {
			st = copied(*at)
		}
		return nil
	})
	return st, ok, err
}

// store changes the stack's state, as one write.
func (r *run) store(what Write, change func(*stack)) error {
	what.To = "state"
	return r.e.p.write(what, func() error {
		st, ok := r.e.p.states()[r.stack.Name]
		if !ok {
			return fmt.Errorf("stack %s: %w", r.stack.Name, engine.ErrNoStack)
		}
		change(st)
		return nil
	})
}

func (r *run) refresh() error {
	old, ok, err := r.state()
	if err != nil {
		return err
	}
	if !ok {
		return nil
	}
	if err := r.reachesOld(old); err != nil {
		return err
	}
	return r.e.p.read(func() error {
		for _, rec := range old.Resources {
			st := engine.Step{
				Op: "same", URN: rec.URN, Type: rec.Type, Name: rec.Name, ID: rec.ID, Custom: true, Provider: rec.Provider, Protect: rec.Protect,
				OldInputs: rec.Inputs, OldOutputs: rec.Outputs, NewInputs: rec.Inputs, NewOutputs: rec.Outputs,
			}
			if !rec.own() {
				t := r.e.p.w.find(rec.Where, rec.Type, rec.ID)
				switch {
				case t == nil:
					st.Op, st.NewInputs, st.NewOutputs = "delete", nil, nil
				default:
					st.NewInputs, st.NewOutputs = copied(t.Inputs), copied(t.Outputs)
					delete(st.NewInputs, "deletionProtection")
					if !reflect.DeepEqual(st.NewInputs, rec.Inputs) {
						st.Op = "update"
					}
				}
			}
			r.res.Steps = append(r.res.Steps, st)
			r.res.Changes[st.Op]++
		}
		return nil
	})
}

// kindOf reads the cause of a failure from the cloud's words.
func kindOf(cause error) error {
	for _, k := range []struct {
		kind  error
		words []string
	}{
		{engine.ErrQuota, []string{"LimitExceeded"}},
		{engine.ErrNameInUse, []string{"AlreadyExists", "ALREADY_EXISTS", "AlreadyOwned", "Duplicate", "already exists", "AlreadyAssociated", "Conflict"}},
		{engine.ErrCredentials, []string{"AccessDenied"}},
		{engine.ErrImmutable, []string{"are forbidden"}},
	} {
		if slices.ContainsFunc(k.words, func(word string) bool { return strings.Contains(cause.Error(), word) }) {
			return k.kind
		}
	}
	return engine.ErrFailed
}
