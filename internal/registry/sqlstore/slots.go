package sqlstore

import (
	"context"
	"slices"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// SlotStatements are about slots, which all orgs share. $1 is the org that asks.
type SlotStatements struct {
	// Mine takes an operation and a kind, and returns the slot that it has.
	Mine string
	// Seen takes a kind and a limit. It returns slot, taken, renewals, ttl, and
	// whether it is free, of the slots up to the limit that were ever taken.
	Seen string
	// Take takes operation, kind, slot, ttl, and how taken and renewals were seen.
	// It returns the slot if it is the operation's now, and no row if somebody else
	// was faster.
	Take string
	// Renew renews all slots of the org, and Free gives up those of an operation: of
	// one kind, or of all where that is empty. Both return a row for each.
	Renew, Free string
	// Pace returns until when the pace of a kind is used up. SetPace takes the
	// kind, what Pace returned ('' for no row), and what it is to be. It returns a
	// row, or none if somebody else was faster.
	Pace, SetPace string
}

// TakeSlot takes a slot for the operation.
func (s *orgStore) TakeSlot(ctx context.Context, l registry.Lease, r registry.SlotRequest) error {
	return s.writeAs(ctx, l, "take a slot of "+r.Kind, func(tx tx) error {
		_, has, err := one(ctx, tx, scanNumber, statement(s.ledger.Slots.Mine), s.org(), l.Operation, r.Kind)
		if err != nil || has {
			return err
		}
		if err := s.pace(ctx, tx, r); err != nil {
			return err
		}
		seen, free, err := s.seen(ctx, tx, r)
		if err != nil {
			return err
		}
		for _, at := range free {
			if _, ok, err := one(ctx, tx, scanNumber, statement(s.ledger.Slots.Take), s.org(), l.Operation, r.Kind, at.Slot,
				int64(r.TTL), at.Taken, at.Renewals); err != nil || ok {
				return err
			}
		}
		return &registry.FullError{Kind: r.Kind, Limit: r.Limit, Seen: seen}
	})
}

// seen are the slots of the kind that are taken, and those that are free or may
// be taken over.
func (s *orgStore) seen(ctx context.Context, tx tx, r registry.SlotRequest) (taken, free []registry.SlotSighting, err error) {
	type found struct {
		registry.SlotSighting

		free bool
	}
	all, err := list(ctx, tx, func(r row) (f found, err error) {
		var ttl int64
		err = r.Scan(&f.Slot, &f.Taken, &f.Renewals, &ttl, &f.free)
		f.TTL = time.Duration(ttl)
		return f, err
	}, statement(s.ledger.Slots.Seen), s.org(), r.Kind, r.Limit)
	if err != nil {
		return nil, nil, err
	}
	for slot := 1; slot <= r.Limit; slot++ {
		i := slices.IndexFunc(all, func(f found) bool { return f.Slot == slot })
		switch {
		case i < 0:
			free = append(free, registry.SlotSighting{Slot: slot})
		case all[i].free || slices.Contains(r.Over, all[i].SlotSighting):
			free = append(free, all[i].SlotSighting)
		default:
			taken = append(taken, all[i].SlotSighting)
		}
	}
	return taken, free, nil
}

// pace uses up one turn, or says how long to wait for it.
func (s *orgStore) pace(ctx context.Context, tx tx, r registry.SlotRequest) error {
	if r.Every <= 0 {
		return nil
	}
	was, _, err := one(ctx, tx, scanText, statement(s.ledger.Slots.Pace), s.org(), r.Kind)
	if err != nil {
		return err
	}
	used, err := unstampAny(was)
	if err != nil {
		return err
	}
	now := s.now()
	if used.Before(now) {
		used = now
	}
	// A clock that is ahead of this one holds nobody up for longer than its own
	// turns would.
	most := r.Every * time.Duration(max(r.Burst, 1))
	if used.Sub(now) > most+r.Every*time.Duration(r.Limit) {
		used = now.Add(most)
	}
	if wait := used.Add(r.Every).Sub(now) - most; wait > 0 {
		return &registry.FullError{Kind: r.Kind, Limit: r.Limit, After: wait}
	}
	_, ok, err := one(ctx, tx, scanText, statement(s.ledger.Slots.SetPace), s.org(), r.Kind, was, stamp(used.Add(r.Every)))
	if err == nil && !ok {
		err = &registry.FullError{Kind: r.Kind, Limit: r.Limit, After: r.Every}
	}
	return err
}

// FreeSlot gives up the operation's slot of the kind.
func (s *orgStore) FreeSlot(ctx context.Context, l registry.Lease, kind string) error {
	return s.writeAs(ctx, l, "free the slot of "+kind, func(tx tx) error { return s.giveUp(ctx, tx, l.Operation, kind) })
}

// giveUp frees the slots of an operation: of one kind, or of all where that is empty.
func (s *orgStore) giveUp(ctx context.Context, tx tx, operation, kind string) error {
	_, err := list(ctx, tx, scanNumber, statement(s.ledger.Slots.Free), s.org(), operation, kind)
	return err
}
