package lifecycletest

import (
	"context"
	"slices"
	"time"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
)

// delete removes a resource in two writes, as make makes it.
func (r *run) delete(ctx context.Context, rec record) error {
	st := engine.Step{
		Op: "delete", URN: rec.URN, Type: rec.Type, Name: rec.Name, ID: rec.ID, Custom: true, Provider: rec.Provider, Protect: rec.Protect,
		OldInputs: rec.Inputs, OldOutputs: rec.Outputs,
	}
	if r.dry() {
		r.done(st)
		return nil
	}
	if rec.Protect {
		return &engine.Error{
			Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrProtected,
			Failures: []engine.Failure{{URN: rec.URN, Type: rec.Type, Name: rec.Name, Op: "delete", Message: "it is protected"}},
		}
	}
	w := r.e.p.w
	if !rec.own() {
		r.e.emit(r.sink, r.stack, event.ResourceStarted, st, "")
		if err := r.began(); err != nil {
			return err
		}
		there := false
		if err := r.e.p.read(func() error { there = w.find(rec.Where, rec.Type, rec.ID) != nil; return nil }); err != nil {
			return err
		}
		if there && !rec.Retain {
			if err := r.awaitLingering(ctx, rec); err != nil {
				return err
			}
			err := r.e.p.write(Write{"cloud", "remove", rec.Type, rec.Name}, func() error {
				if err := w.dispose(rec); err != nil {
					return refusal{err}
				}
				return nil
			})
			if no, is := err.(refusal); is { //nolint:errorlint // it is never wrapped
				return r.failed(st, no.error)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := r.store(Write{What: "forget", Of: rec.Type, Name: rec.Name}, func(s *stack) {
		s.Resources = slices.DeleteFunc(s.Resources, func(old record) bool { return old.URN == rec.URN })
	}); err != nil {
		return err
	}
	r.done(st)
	return nil
}

// awaitLingering waits, as a provider does, for a Project that something keeps.
func (r *run) awaitLingering(ctx context.Context, rec record) error {
	left := 1
	for range 400 {
		if err := r.e.p.read(func() error {
			t := r.e.p.w.find(rec.Where, rec.Type, rec.ID)
			if t == nil || t.Lingers == 0 {
				left = 0
				return nil
			}
			t.Going = true
			return nil
		}); err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil // nobody looks, and somebody else has removed what kept it
}

// dispose removes what a record stands for; an account is closed. The caller
// holds w.mu.
func (w *World) dispose(rec record) error {
	t := w.find(rec.Where, rec.Type, rec.ID)
	if t == nil {
		return nil
	}
	if rec.Type == accountType {
		w.data.Accounts[rec.ID].Status = accountSuspended
		return nil
	}
	return w.remove(t)
}

func (r *run) destroy(ctx context.Context) error {
	old, ok, err := r.state()
	if err != nil {
		return err
	}
	if !ok {
		return &engine.Error{Stack: r.stack.Name, Doing: r.doing, Kind: engine.ErrNoStack, Detail: "no stack named " + r.stack.Name}
	}
	if err := r.reachesOld(old); err != nil {
		return err
	}
	for _, rec := range old.Resources {
		if rec.Protect {
			return r.delete(ctx, rec) // nothing goes while one is protected
		}
	}
	for _, rec := range slices.Backward(old.Resources) {
		if err := r.interrupted(ctx); err != nil {
			return err
		}
		if err := r.delete(ctx, rec); err != nil {
			return err
		}
	}
	if r.fault != nil {
		return r.fault.Err
	}
	return r.e.p.write(Write{"state", "remove", r.stack.Name, ""}, func() error {
		delete(r.e.p.states(), r.stack.Name)
		return nil
	})
}
