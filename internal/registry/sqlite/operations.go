package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

const (
	selectOperation = `SELECT org, id, kind, state, started, finished, error FROM operations`
	// Operations of earlier versions have no token, and only their times say which was first.
	newestFirst = ` ORDER BY token DESC, started DESC, id DESC`
)

// Last returns the org's newest operation, nil if there was none.
func (s *Store) Last(ctx context.Context, org string) (*event.Operation, error) {
	op, err := scanOperation(s.db.QueryRowContext(ctx, selectOperation+` WHERE org = ?`+newestFirst+` LIMIT 1`, org))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no operation is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read the operations of org %s: %w", org, err)
	}
	return &op, nil
}

// Operations returns the org's operations, the newest first.
func (s *Store) Operations(ctx context.Context, org string) ([]event.Operation, error) {
	out, err := list(ctx, s.db, scanOperation, selectOperation+` WHERE org = ?`+newestFirst, org)
	if err != nil {
		return nil, fmt.Errorf("read the operations of org %s: %w", org, err)
	}
	return out, nil
}

func scanOperation(row row) (op event.Operation, err error) {
	var started, finished string
	if err := row.Scan(&op.Org, &op.ID, &op.Kind, &op.State, &started, &finished, &op.Error); err != nil {
		return op, err
	}
	if op.Started, err = unstamp(started); err != nil {
		return op, err
	}
	if finished != "" {
		op.Finished, err = unstamp(finished)
	}
	return op, err
}

// Append stores events of the running operation, all or none, and returns them
// with their numbers. A terminal event is End's.
func (s *Store) Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error) {
	stored := make([]event.Event, len(events))
	err := s.write(ctx, fmt.Sprintf("store the events of operation %s of org %s", l.Operation, l.Org), func(tx *sql.Tx) error {
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		for i, ev := range events {
			if ev.Type.Terminal() {
				return fmt.Errorf("%s is a terminal event, which only End may store", ev.Type)
			}
			if err := belongs(l, ev); err != nil {
				return err
			}
			var err error
			if stored[i], err = appendEvent(ctx, tx, ev); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

func belongs(l registry.Lease, ev event.Event) error {
	if ev.Org != l.Org || ev.Operation != l.Operation {
		return fmt.Errorf("event %s belongs to operation %s of org %s", ev.Type, ev.Operation, ev.Org)
	}
	return nil
}

// appendEvent stores an event with the next number of its operation.
func appendEvent(ctx context.Context, tx *sql.Tx, ev event.Event) (event.Event, error) {
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) + 1 FROM events WHERE org = ? AND operation = ?`,
		ev.Org, ev.Operation).Scan(&ev.Seq); err != nil {
		return ev, err
	}
	body, err := json.Marshal(ev)
	if err != nil {
		return ev, fmt.Errorf("event %s: %w", ev.Type, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO events (org, operation, seq, version, type, body) VALUES (?, ?, ?, ?, ?, ?)`,
		ev.Org, ev.Operation, ev.Seq, event.Version, string(ev.Type), string(body))
	return ev, err
}

// Events returns the operation's events whose number is greater than after, in
// order. It wraps registry.ErrUnknownOperation.
func (s *Store) Events(ctx context.Context, org, operation string, after int64) ([]event.Event, error) {
	var known bool
	if err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM operations WHERE org = ? AND id = ?)`, org, operation).
		Scan(&known); err != nil {
		return nil, fmt.Errorf("read the events of operation %s of org %s: %w", operation, org, err)
	}
	if !known {
		return nil, fmt.Errorf("%w %q of org %s", registry.ErrUnknownOperation, operation, org)
	}
	out, err := list(ctx, s.db, scanEvent,
		`SELECT version, seq, body FROM events WHERE org = ? AND operation = ? AND seq > ? ORDER BY seq`, org, operation, after)
	if err != nil {
		return nil, fmt.Errorf("read the events of operation %s of org %s: %w", operation, org, err)
	}
	return out, nil
}

// undelivered are the stored terminal events that are not known to have been sent.
func undelivered(ctx context.Context, tx *sql.Tx, org string) ([]event.Event, error) {
	return list(ctx, tx, scanEvent, `SELECT e.version, e.seq, e.body FROM operations o JOIN events e ON e.org = o.org AND e.operation = o.id
		WHERE o.org = ? AND o.delivered = 0 AND o.state <> 'running' AND e.type = 'operation.' || o.state
		ORDER BY o.token, o.started, o.id`, org)
}

func scanEvent(row row) (ev event.Event, err error) {
	var version, seq int64
	var body []byte
	if err := row.Scan(&version, &seq, &body); err != nil {
		return ev, err
	}
	if version > event.Version {
		return ev, fmt.Errorf("event %d was written by a newer freehold: use that one", seq)
	}
	err = json.Unmarshal(body, &ev)
	return ev, err
}

// Delivered records that the operation's terminal event was sent. It may be repeated.
func (s *Store) Delivered(ctx context.Context, org, operation string) error {
	res, err := s.db.ExecContext(ctx, `UPDATE operations SET delivered = 1 WHERE org = ? AND id = ? AND state <> 'running'`, org, operation)
	if err != nil {
		return fmt.Errorf("record that operation %s of org %s was reported: %w", operation, org, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%w: org %s has no operation %q that has ended", registry.ErrUnknownOperation, org, operation)
	}
	return nil
}
