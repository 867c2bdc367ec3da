package sqlstore

import (
	"context"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// BeginStep records that a step of the running operation begins.
func (s *orgStore) BeginStep(ctx context.Context, l registry.Lease, st event.Step) (event.Step, error) {
	err := s.writeAs(ctx, l, "begin step "+st.Name, func(tx tx) (err error) {
		if st.Seq, _, err = one(ctx, tx, scanNumber, nextStep, s.org(), l.Operation); err != nil {
			return err
		}
		return tx.exec(ctx, putStep, s.org(), l.Operation, st.Seq, st.Name, st.Layer, st.Attempt, st.State, stamp(st.Started),
			stampAny(st.Deadline), st.Holder)
	})
	return st, err
}

// EndStep records how a step ended.
func (s *orgStore) EndStep(ctx context.Context, l registry.Lease, st event.Step) error {
	return s.writeAs(ctx, l, "end step "+st.Name, func(tx tx) error {
		known, err := tx.changed(ctx, endStep, s.org(), l.Operation, st.Seq, st.State, stampAny(st.Finished), st.Error)
		if err == nil && !known {
			err = fmt.Errorf("operation %s has no step %d", l.Operation, st.Seq)
		}
		return err
	})
}

// Steps returns the operation's steps in their order.
func (s *orgStore) Steps(ctx context.Context, operation string) (all []event.Step, err error) {
	err = s.read(ctx, "read the steps of operation "+operation, func(tx tx) error {
		if _, err := s.operation(ctx, tx, operation); err != nil {
			return err
		}
		all, err = list(ctx, tx, scanStep, selectSteps, s.org(), operation)
		return err
	})
	return all, err
}

// Worked returns the steps on a layer that are over and were under way at a time.
func (s *orgStore) Worked(ctx context.Context, layer string, at time.Time) (all []event.Step, err error) {
	err = s.read(ctx, "read the steps of layer "+layer, func(tx tx) error {
		all, err = list(ctx, tx, scanStep, selectWorked, s.org(), layer, stamp(at.Add(time.Second)), stamp(at.Add(-time.Second)))
		return err
	})
	return all, err
}

// interrupt ends the steps of an operation whose process is gone. As far as
// anybody knows, the process was at work until its lease ended.
func (s *orgStore) interrupt(ctx context.Context, tx tx, operation string) error {
	busy, err := s.holder(ctx, tx)
	if err != nil || busy == nil || busy.Operation != operation {
		return err
	}
	return tx.exec(ctx, interruptSteps, s.org(), operation, stamp(busy.Until))
}

func scanStep(r row) (st event.Step, err error) {
	var started, finished, deadline string
	if err := r.Scan(&st.Seq, &st.Name, &st.Layer, &st.Attempt, &st.State, &started, &finished, &deadline, &st.Error, &st.Holder); err != nil {
		return st, err
	}
	if st.Started, err = unstamp(started); err != nil {
		return st, err
	}
	if st.Finished, err = unstampAny(finished); err != nil {
		return st, err
	}
	st.Deadline, err = unstampAny(deadline)
	return st, err
}
