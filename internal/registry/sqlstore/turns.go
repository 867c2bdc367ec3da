package sqlstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// Take begins a turn at an endpoint.
func (s *orgStore) Take(ctx context.Context, endpoint string, now, until time.Time) (t registry.Turn, err error) {
	t.Token, t.Until = rand.Text(), until
	err = s.write(ctx, "send to endpoint "+endpoint, func(tx tx) error {
		var ok bool
		t.Endpoint, ok, err = one(ctx, tx, func(r row) (e registry.Endpoint, err error) {
			var types, created string
			if err := r.Scan(&e.Name, &e.URL, &e.Secret, &types, &created, &e.Disabled); err != nil {
				return e, err
			}
			e.Events = strings.Fields(types)
			e.Created, err = unstamp(created)
			return e, err
		}, takeTurn, s.org(), endpoint, stamp(now), stamp(until), t.Token)
		if err == nil && !ok {
			err = registry.ErrNotYourTurn
		}
		return err
	})
	return t, err
}

// dueDelivery is a delivery and when it is to be sent.
type dueDelivery struct {
	registry.Delivery

	next string
}

// Next makes the turn last, and returns the oldest waiting delivery if it is due.
func (s *orgStore) Next(ctx context.Context, t registry.Turn, due, until time.Time) (d registry.Delivery, ok bool, err error) {
	err = s.write(ctx, "send to endpoint "+t.Endpoint.Name, func(tx tx) error {
		mine, err := tx.changed(ctx, keepTurn, s.org(), t.Endpoint.Name, t.Token, stamp(until))
		if err != nil {
			return err
		}
		if !mine {
			return registry.ErrNotYourTurn
		}
		oldest, waits, err := one(ctx, tx, func(r row) (d dueDelivery, err error) {
			d.Delivery, err = scanDelivery(before{r, []any{&d.next}})
			return d, err
		}, selectNext, s.org(), t.Endpoint.Name)
		d, ok = oldest.Delivery, waits && oldest.next <= stamp(due)
		return err
	})
	if err != nil || !ok {
		return registry.Delivery{}, false, err
	}
	return d, true, nil
}

// before is a row that has more columns behind those that somebody reads, and
// after one that has them before.
type before struct {
	row

	rest []any
}

func (b before) Scan(dest ...any) error { return b.row.Scan(append(dest, b.rest...)...) }

type after struct {
	row

	rest []any
}

func (a after) Scan(dest ...any) error { return a.row.Scan(slices.Concat(a.rest, dest)...) }

// Attempted records what came of a delivery.
func (s *orgStore) Attempted(ctx context.Context, t registry.Turn, seq int64, a registry.Attempt) error {
	return s.write(ctx, fmt.Sprintf("record delivery %d to endpoint %s", seq, t.Endpoint.Name), func(tx tx) error {
		_, mine, err := one(ctx, tx, scanText, selectTurn, s.org(), t.Endpoint.Name, t.Token)
		if err != nil {
			return err
		}
		if !mine {
			return registry.ErrNotYourTurn
		}
		changed, err := s.attempted(ctx, tx, t, seq, a)
		if err == nil && !changed {
			err = registry.ErrNotYourTurn
		}
		if err != nil || !a.Disable {
			return err
		}
		if err := tx.exec(ctx, disable, s.org(), t.Endpoint.Name, a.Error); err != nil {
			return err
		}
		return s.audit(ctx, tx, "disable endpoint "+t.Endpoint.Name, a.Error)
	})
}

func (s *orgStore) attempted(ctx context.Context, tx tx, t registry.Turn, seq int64, a registry.Attempt) (bool, error) {
	if a.Delivered {
		return tx.changed(ctx, dropDelivery, s.org(), t.Endpoint.Name, seq)
	}
	state := "pending"
	if a.Dead {
		state = "dead"
	}
	return tx.changed(ctx, putAttempt, s.org(), t.Endpoint.Name, seq, state, stamp(a.Next), a.Error)
}

// Yield ends the turn.
func (s *orgStore) Yield(ctx context.Context, t registry.Turn) error {
	return s.write(ctx, "send to endpoint "+t.Endpoint.Name, func(tx tx) error {
		mine, err := tx.changed(ctx, yieldTurn, s.org(), t.Endpoint.Name, t.Token)
		if err == nil && !mine {
			err = registry.ErrNotYourTurn
		}
		return err
	})
}
