package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// Begin starts an operation, unless another holds the org: that is a
// *registry.BusyError. Everything that it writes is one transaction.
func (s *Store) Begin(ctx context.Context, req registry.Request) (begun registry.Begun, err error) {
	err = s.write(ctx, fmt.Sprintf("begin %s of org %s", req.Kind, req.Org), func(tx *sql.Tx) error {
		now := s.now()
		if err := free(ctx, tx, req, now); err != nil {
			return err
		}
		if err := interrupt(ctx, tx, req.Org, now); err != nil {
			return err
		}
		op := event.Operation{
			ID: rand.Text(), Org: req.Org, Kind: req.Kind, State: event.OperationStarted.State(), Started: now.UTC().Round(0),
		}
		l, err := take(ctx, tx, req, op)
		if err != nil {
			return err
		}
		unsent, err := undelivered(ctx, tx, req.Org)
		if err != nil {
			return err
		}
		started, err := appendEvent(ctx, tx, event.Event{
			Type: event.OperationStarted, Time: op.Started, Org: op.Org, Operation: op.ID, Kind: op.Kind,
		})
		begun = registry.Begun{Lease: l, Operation: op, Started: started, Undelivered: unsent}
		return err
	})
	if busy, ok := errors.AsType[*registry.BusyError](err); ok {
		return registry.Begun{}, busy // which says it all
	}
	if err != nil {
		return registry.Begun{}, err
	}
	return begun, nil
}

// free answers with a *registry.BusyError while another holds the org.
func free(ctx context.Context, tx *sql.Tx, req registry.Request, now time.Time) error {
	busy := &registry.BusyError{Lease: registry.Lease{Org: req.Org}}
	var until, started string
	err := tx.QueryRowContext(ctx, `SELECT l.operation, l.token, l.holder, l.until, o.kind, o.started
		FROM leases l JOIN operations o ON o.org = l.org AND o.id = l.operation WHERE l.org = ?`, req.Org).
		Scan(&busy.Operation, &busy.Token, &busy.Holder, &until, &busy.Kind, &started)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if busy.Started, err = unstamp(started); err != nil {
		return err
	}
	if busy.Until, err = unstamp(until); err != nil {
		return err
	}
	if busy.Token == req.Over || !busy.Until.After(now) {
		return nil
	}
	return busy
}

// interrupt ends what runs on the org: its process is dead, or no longer holds it.
func interrupt(ctx context.Context, tx *sql.Tx, org string, now time.Time) error {
	ops, err := list(ctx, tx, scanOperation, selectOperation+` WHERE org = ? AND state = 'running'`, org)
	if err != nil {
		return err
	}
	for _, op := range ops {
		if _, err := finish(ctx, tx, registry.Interrupted(op, now)); err != nil {
			return err
		}
	}
	return nil
}

// take makes the operation and its lease, with the org's next token.
func take(ctx context.Context, tx *sql.Tx, req registry.Request, op event.Operation) (registry.Lease, error) {
	l := registry.Lease{Org: op.Org, Operation: op.ID}
	if err := tx.QueryRowContext(ctx, `INSERT INTO fences (org, token) VALUES (?, 1)
		ON CONFLICT (org) DO UPDATE SET token = token + 1 RETURNING token`, op.Org).Scan(&l.Token); err != nil {
		return l, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO operations (org, id, kind, state, started, token, delivered)
		VALUES (?, ?, ?, ?, ?, ?, 0)`, op.Org, op.ID, op.Kind, op.State, stamp(op.Started), l.Token); err != nil {
		return l, err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO leases (org, operation, token, holder, until, renewed)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (org) DO UPDATE SET operation = excluded.operation, token = excluded.token,
		holder = excluded.holder, until = excluded.until, renewed = excluded.renewed`,
		l.Org, l.Operation, l.Token, req.Holder, stamp(op.Started.Add(req.TTL)), stamp(op.Started))
	return l, err
}

// held wraps registry.ErrLost unless the operation still holds its org. A
// transaction that writes for the operation asks first, and nobody can take the
// org over before it ends.
func held(ctx context.Context, tx *sql.Tx, l registry.Lease) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM operations WHERE org = ? AND id = ? AND token = ? AND state = 'running'`,
		l.Org, l.Operation, l.Token).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return registry.ErrLost
	}
	return err
}

// Renew makes the lease last for ttl from now, in the hands of holder.
func (s *Store) Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error {
	return s.write(ctx, fmt.Sprintf("renew the lease of operation %s on org %s", l.Operation, l.Org), func(tx *sql.Tx) error {
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		now := s.now()
		_, err := tx.ExecContext(ctx, `UPDATE leases SET holder = ?, until = ?, renewed = ? WHERE org = ?`,
			holder, stamp(now.Add(ttl)), stamp(now), l.Org)
		return err
	})
}

// End records in one transaction how the operation ended, stores its terminal
// event, and lets go of the org.
func (s *Store) End(ctx context.Context, l registry.Lease, terminal event.Event) (stored event.Event, err error) {
	err = s.write(ctx, fmt.Sprintf("end operation %s of org %s", l.Operation, l.Org), func(tx *sql.Tx) error {
		if !terminal.Type.Terminal() {
			return fmt.Errorf("%s is not a terminal event", terminal.Type)
		}
		if err := belongs(l, terminal); err != nil {
			return err
		}
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		if stored, err = finish(ctx, tx, terminal); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE org = ?`, l.Org)
		return err
	})
	if err != nil {
		return event.Event{}, err
	}
	return stored, nil
}

// finish ends an operation by its terminal event.
func finish(ctx context.Context, tx *sql.Tx, terminal event.Event) (event.Event, error) {
	failure := terminal.Message
	if terminal.Type == event.OperationSucceeded {
		failure = ""
	}
	if _, err := tx.ExecContext(ctx, `UPDATE operations SET state = ?, finished = ?, error = ?, delivered = 0 WHERE org = ? AND id = ?`,
		terminal.Type.State(), stamp(terminal.Time), failure, terminal.Org, terminal.Operation); err != nil {
		return event.Event{}, err
	}
	return appendEvent(ctx, tx, terminal)
}
