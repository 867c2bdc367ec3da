package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// Begin starts an operation, unless another holds the org.
func (s *orgStore) Begin(ctx context.Context, req registry.Request) (begun registry.Begun, err error) {
	var refused error
	err = s.write(ctx, "begin "+req.Kind, func(tx tx) error {
		begun, refused = registry.Begun{}, nil
		now := s.now()
		earlier, err := s.requested(ctx, tx, req)
		if err == nil {
			err = s.free(ctx, tx, req.Over)
		}
		if refusal(err) {
			refused = err
			return s.audit(ctx, tx, "begin "+req.Kind, err.Error())
		}
		if err != nil {
			return err
		}
		if earlier != nil {
			begun, err = s.resume(ctx, tx, req, *earlier, now)
			return err
		}
		begun, err = s.start(ctx, tx, req, now)
		return err
	})
	if err = errors.Join(err, refused); err != nil {
		return registry.Begun{}, err
	}
	return begun, nil
}

// refusal reports whether err is an answer, and no failure.
func refusal(err error) bool {
	if _, ok := errors.AsType[*registry.RepeatedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*registry.RequestError](err); ok {
		return true
	}
	return errors.Is(err, registry.ErrBusy)
}

// requested is the running operation of an earlier request with the same id, nil
// if there was none. One that has ended is a *registry.RepeatedError.
func (s *orgStore) requested(ctx context.Context, tx tx, req registry.Request) (*event.Operation, error) {
	if req.Resume != "" {
		op, ok, err := one(ctx, tx, scanOperation, selectRunning, s.org())
		if err == nil && (!ok || op.ID != req.Resume) {
			err = fmt.Errorf("%w: no operation %q is running", registry.ErrUnknownOperation, req.Resume)
		}
		return &op, err
	}
	if req.ID == "" {
		return nil, nil //nolint:nilnil // no earlier request is an answer
	}
	type request struct{ id, kind, document string }
	was, ok, err := one(ctx, tx, func(r row) (q request, err error) {
		err = r.Scan(&q.id, &q.kind, &q.document)
		return q, err
	}, selectRequest, s.org(), req.ID)
	if err != nil || !ok {
		return nil, err
	}
	op, _, err := one(ctx, tx, scanOperation, selectOperation, s.org(), was.id)
	switch {
	case err != nil:
		return nil, err
	case was.kind != req.Kind || was.document != req.Document:
		return nil, &registry.RequestError{ID: req.ID, Operation: op}
	case op.State != event.OperationStarted.State():
		return nil, &registry.RepeatedError{ID: req.ID, Operation: op}
	default:
		return &op, nil
	}
}

// free answers with a *registry.BusyError while another holds the org, but for
// what is taken over.
func (s *orgStore) free(ctx context.Context, tx tx, over registry.Sighting) error {
	busy, err := s.holder(ctx, tx)
	if err != nil || busy == nil || busy.Seen == over {
		return err
	}
	return busy
}

// Holder returns who holds the org, nil if nobody does.
func (s *orgStore) Holder(ctx context.Context) (busy *registry.BusyError, err error) {
	err = s.read(ctx, "read the lease", func(tx tx) error {
		busy, err = s.holder(ctx, tx)
		return err
	})
	return busy, err
}

func (s *orgStore) holder(ctx context.Context, tx tx) (*registry.BusyError, error) {
	busy, ok, err := one(ctx, tx, func(r row) (*registry.BusyError, error) {
		b := &registry.BusyError{Lease: registry.Lease{Org: s.org()}}
		var until, renewed, started string
		if err := r.Scan(&b.Operation, &b.Token, &b.Seen.Renewals, &b.Holder, &until, &renewed, &b.Kind, &started); err != nil {
			return nil, err
		}
		b.Seen.Token = b.Token
		var err error
		if b.Started, err = unstamp(started); err != nil {
			return nil, err
		}
		if b.Until, err = unstamp(until); err != nil {
			return nil, err
		}
		at, err := unstamp(renewed)
		b.TTL = b.Until.Sub(at)
		return b, err
	}, selectLease, s.org())
	if err != nil || !ok {
		return nil, err
	}
	return busy, nil
}

// start makes a new operation, after it has ended what runs on the org: its
// process is dead, or no longer holds it.
func (s *orgStore) start(ctx context.Context, tx tx, req registry.Request, now time.Time) (begun registry.Begun, err error) {
	stale, err := list(ctx, tx, scanOperation, selectRunning, s.org())
	if err != nil {
		return begun, err
	}
	for _, op := range stale {
		if err := s.interrupt(ctx, tx, op.ID); err != nil {
			return begun, err
		}
		if _, err := s.finish(ctx, tx, registry.Interrupted(op, now)); err != nil {
			return begun, err
		}
		if err := s.audit(ctx, tx, "take over from operation "+op.ID, done); err != nil {
			return begun, err
		}
	}
	begun.Operation = event.Operation{
		ID: rand.Text(), Org: s.org(), Kind: req.Kind, State: event.OperationStarted.State(), Started: now.UTC().Round(0),
	}
	op := begun.Operation
	token, err := s.token(ctx, tx)
	if err != nil {
		return begun, err
	}
	if err := tx.exec(ctx, putOperation, op.Org, op.ID, op.Kind, op.State, stamp(op.Started), token, req.ID, req.Document); err != nil {
		return begun, err
	}
	if begun.Lease, err = s.take(ctx, tx, req, op.ID, token, now); err != nil {
		return begun, err
	}
	// What this operation is about to show comes after what was not shown yet.
	if begun.Undelivered, err = list(ctx, tx, scanEvent, selectUndelivered, s.org()); err != nil {
		return begun, err
	}
	if begun.Started, err = s.appendEvent(ctx, tx, event.Event{
		Type: event.OperationStarted, Time: op.Started, Org: op.Org, Operation: op.ID, Kind: op.Kind,
	}); err != nil {
		return begun, err
	}
	return begun, s.audit(ctx, tx, fmt.Sprintf("begin %s: operation %s", op.Kind, op.ID), done)
}

// resume goes on with an operation whose process is gone.
func (s *orgStore) resume(ctx context.Context, tx tx, req registry.Request, op event.Operation, now time.Time) (begun registry.Begun, err error) {
	begun.Operation, begun.Resumed = op, true
	if err := s.interrupt(ctx, tx, op.ID); err != nil {
		return begun, err
	}
	token, err := s.token(ctx, tx)
	if err != nil {
		return begun, err
	}
	if err := tx.exec(ctx, resumeOperation, s.org(), op.ID, token); err != nil {
		return begun, err
	}
	if begun.Lease, err = s.take(ctx, tx, req, op.ID, token, now); err != nil {
		return begun, err
	}
	if begun.Undelivered, err = list(ctx, tx, scanEvent, selectUndelivered, s.org()); err != nil {
		return begun, err
	}
	if begun.Started, err = s.appendEvent(ctx, tx, event.Event{
		Type: event.Diagnostic, Time: now.UTC().Round(0), Org: op.Org, Operation: op.ID, Kind: op.Kind,
		Message: "the process that ran this operation is gone: another one goes on with it",
	}); err != nil {
		return begun, err
	}
	return begun, s.audit(ctx, tx, "resume operation "+op.ID, done)
}

func (s *orgStore) token(ctx context.Context, tx tx) (int64, error) {
	token, _, err := one(ctx, tx, scanNumber, nextToken, s.org())
	return token, err
}

// take makes the operation's lease.
func (s *orgStore) take(ctx context.Context, tx tx, req registry.Request, op string, token int64, now time.Time) (registry.Lease, error) {
	l := registry.Lease{Org: s.org(), Operation: op, Token: token}
	return l, tx.exec(ctx, putLease, l.Org, l.Operation, l.Token, req.Holder, stamp(now.Add(req.TTL)), stamp(now))
}

// held wraps registry.ErrLost unless the operation still holds its org. A
// transaction that writes for the operation asks first, and nobody can take the
// org over before it ends. It reports whether somebody asked it to stop.
func (s *orgStore) held(ctx context.Context, tx tx, l registry.Lease) (cancelled bool, err error) {
	if l.Org != s.org() {
		return false, fmt.Errorf("%w: the lease is on org %s", registry.ErrLost, l.Org)
	}
	asked, ok, err := one(ctx, tx, scanText, selectHeld, l.Org, l.Operation, l.Token)
	if err == nil && !ok {
		err = registry.ErrLost
	}
	return asked != "", err
}

// writeAs runs fn in a transaction of the operation that holds the org.
func (s *orgStore) writeAs(ctx context.Context, l registry.Lease, what string, fn func(tx) error) error {
	return s.write(ctx, what, func(tx tx) error {
		if _, err := s.held(ctx, tx, l); err != nil {
			return err
		}
		return fn(tx)
	})
}

// Renew makes the lease last for ttl from now, in the hands of holder.
func (s *orgStore) Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error {
	var asked bool
	err := s.write(ctx, "renew the lease of operation "+l.Operation, func(tx tx) (err error) {
		if asked, err = s.held(ctx, tx, l); err != nil {
			return err
		}
		now := s.now()
		if err := tx.exec(ctx, renewLease, l.Org, holder, stamp(now.Add(ttl)), stamp(now)); err != nil {
			return err
		}
		_, err = list(ctx, tx, scanNumber, statement(s.ledger.Slots.Renew), s.org())
		return err
	})
	if err == nil && asked {
		err = fmt.Errorf("operation %s of org %s: %w", l.Operation, l.Org, registry.ErrCancelled)
	}
	return err
}

// End records how the operation ended, and lets go of the org.
func (s *orgStore) End(ctx context.Context, l registry.Lease, terminal event.Event) (stored event.Event, err error) {
	err = s.writeAs(ctx, l, "end operation "+l.Operation, func(tx tx) error {
		if !terminal.Type.Terminal() {
			return fmt.Errorf("%s is not a terminal event", terminal.Type)
		}
		if err := belongs(l, terminal); err != nil {
			return err
		}
		if stored, err = s.finish(ctx, tx, terminal); err != nil {
			return err
		}
		if err := tx.exec(ctx, dropLease, l.Org); err != nil {
			return err
		}
		return s.audit(ctx, tx, "end operation "+l.Operation, terminal.Type.State())
	})
	if err != nil {
		return event.Event{}, err
	}
	return stored, nil
}

// finish ends an operation by its terminal event.
func (s *orgStore) finish(ctx context.Context, tx tx, terminal event.Event) (event.Event, error) {
	failure := terminal.Message
	if terminal.Type == event.OperationSucceeded {
		failure = ""
	}
	if err := tx.exec(ctx, endOperation, s.org(), terminal.Operation, terminal.Type.State(), stamp(terminal.Time), failure,
		terminal.Reason, stampAny(terminal.RetryAt)); err != nil {
		return event.Event{}, err
	}
	if err := s.giveUp(ctx, tx, terminal.Operation, ""); err != nil {
		return event.Event{}, err
	}
	return s.appendEvent(ctx, tx, terminal)
}

// Cancel asks the running operation to stop.
func (s *orgStore) Cancel(ctx context.Context, operation string) error {
	return s.write(ctx, "cancel operation "+operation, func(tx tx) error {
		running, err := tx.changed(ctx, cancelOperation, s.org(), operation, stamp(s.now()))
		if err != nil {
			return err
		}
		if !running {
			return fmt.Errorf("%w: no operation %q is running", registry.ErrUnknownOperation, operation)
		}
		return s.audit(ctx, tx, "cancel operation "+operation, done)
	})
}
