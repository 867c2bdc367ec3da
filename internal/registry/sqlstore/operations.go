package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// Last returns the org's newest operation, nil if there was none.
func (s *orgStore) Last(ctx context.Context) (last *event.Operation, err error) {
	err = s.read(ctx, "read the operations", func(tx tx) error {
		op, ok, err := one(ctx, tx, scanOperation, selectLast, s.org())
		if ok {
			last = &op
		}
		return err
	})
	return last, err
}

// Operations returns the org's operations, the newest first.
func (s *orgStore) Operations(ctx context.Context) (all []event.Operation, err error) {
	err = s.read(ctx, "read the operations", func(tx tx) error {
		all, err = list(ctx, tx, scanOperation, selectOperations, s.org())
		return err
	})
	return all, err
}

// Operation returns one operation.
func (s *orgStore) Operation(ctx context.Context, id string) (op event.Operation, err error) {
	err = s.read(ctx, "read operation "+id, func(tx tx) (err error) {
		op, err = s.operation(ctx, tx, id)
		return err
	})
	return op, err
}

func (s *orgStore) operation(ctx context.Context, tx tx, id string) (event.Operation, error) {
	op, ok, err := one(ctx, tx, scanOperation, selectOperation, s.org(), id)
	if err == nil && !ok {
		err = fmt.Errorf("%w %q", registry.ErrUnknownOperation, id)
	}
	return op, err
}

func scanOperation(r row) (op event.Operation, err error) {
	var started, finished, retry string
	if err := r.Scan(&op.Org, &op.ID, &op.Kind, &op.State, &started, &finished, &op.Error, &op.Request, &op.Reason, &retry); err != nil {
		return op, err
	}
	if op.RetryAt, err = unstampAny(retry); err != nil {
		return op, err
	}
	if op.Started, err = unstamp(started); err != nil {
		return op, err
	}
	op.Finished, err = unstampAny(finished)
	return op, err
}

// Document returns what the operation was asked for.
func (s *orgStore) Document(ctx context.Context, operation string) (document string, err error) {
	err = s.read(ctx, "read operation "+operation, func(tx tx) error {
		found, ok, err := one(ctx, tx, scanText, selectDocument, s.org(), operation)
		if err == nil && !ok {
			err = fmt.Errorf("%w %q", registry.ErrUnknownOperation, operation)
		}
		document = found
		return err
	})
	return document, err
}

// Append stores events of the running operation, all or none.
func (s *orgStore) Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error) {
	stored := make([]event.Event, len(events))
	err := s.writeAs(ctx, l, "store the events of operation "+l.Operation, func(tx tx) error {
		for i, ev := range events {
			if ev.Type.Terminal() {
				return fmt.Errorf("%s is a terminal event, which only End may store", ev.Type)
			}
			if err := belongs(l, ev); err != nil {
				return err
			}
			var err error
			if stored[i], err = s.appendEvent(ctx, tx, ev); err != nil {
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
func (s *orgStore) appendEvent(ctx context.Context, tx tx, ev event.Event) (event.Event, error) {
	seq, _, err := one(ctx, tx, scanNumber, nextEvent, s.org(), ev.Operation)
	if err != nil {
		return ev, err
	}
	ev.Seq = seq
	body, err := json.Marshal(ev)
	if err != nil {
		return ev, fmt.Errorf("event %s: %w", ev.Type, err)
	}
	if err := tx.exec(ctx, putEvent, s.org(), ev.Operation, ev.Seq, event.Version, string(ev.Type), string(body)); err != nil {
		return ev, err
	}
	return ev, s.post(ctx, tx, ev)
}

// Events returns the operation's events that follow another.
func (s *orgStore) Events(ctx context.Context, operation string, after int64) (events []event.Event, err error) {
	err = s.read(ctx, "read the events of operation "+operation, func(tx tx) error {
		if _, err := s.operation(ctx, tx, operation); err != nil {
			return err
		}
		events, err = list(ctx, tx, scanEvent, selectEvents, s.org(), operation, after)
		return err
	})
	return events, err
}

func scanEvent(r row) (ev event.Event, err error) {
	var version, seq int64
	var body string
	if err := r.Scan(&version, &seq, &body); err != nil {
		return ev, err
	}
	if version > event.Version {
		return ev, fmt.Errorf("event %d was written by a newer freehold: use that one", seq)
	}
	err = json.Unmarshal([]byte(body), &ev)
	return ev, err
}

// Delivered records that the operation's terminal event was sent.
func (s *orgStore) Delivered(ctx context.Context, operation string) error {
	return s.write(ctx, "record that operation "+operation+" was reported", func(tx tx) error {
		ended, err := tx.changed(ctx, markDelivered, s.org(), operation)
		if err == nil && !ended {
			err = fmt.Errorf("%w: no operation %q has ended", registry.ErrUnknownOperation, operation)
		}
		return err
	})
}
