package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// Claim makes the org the owner of the identities, all or none.
func (s *orgStore) Claim(ctx context.Context, l registry.Lease, made bool, ids ...finding.Identity) error {
	// Of two orgs that want the same, each would otherwise wait for what the other
	// has just taken.
	ids = slices.SortedFunc(slices.Values(ids), func(a, b finding.Identity) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	err := s.writeAs(ctx, l, "claim", func(tx tx) error {
		for _, id := range ids {
			_, ok, err := one(ctx, tx, scanText, statement(s.ledger.Claim), s.org(), id.Kind, id.Value, stamp(s.now()), made)
			if err != nil {
				return err
			}
			if !ok {
				return &registry.OwnedError{Identity: id}
			}
		}
		return s.audit(ctx, tx, fmt.Sprintf("claim %d identities", len(ids)), done)
	})
	if taken, ok := errors.AsType[*registry.OwnedError](err); ok {
		// What was claimed with it is undone; that it was tried is not.
		return errors.Join(err, s.write(ctx, "record a refusal", func(tx tx) error {
			return s.audit(ctx, tx, fmt.Sprintf("claim %s %s", taken.Kind, taken.Value), "taken")
		}))
	}
	return err
}

// Release drops claims of the org on what was only foreseen, all or none.
func (s *orgStore) Release(ctx context.Context, l registry.Lease, ids ...finding.Identity) error {
	return s.writeAs(ctx, l, "release claims", func(tx tx) error {
		for _, id := range ids {
			if err := tx.exec(ctx, statement(s.ledger.Release), s.org(), id.Kind, id.Value); err != nil {
				return err
			}
		}
		kept, err := s.mine(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range kept {
			for _, id := range ids {
				if c.Identity == id {
					return fmt.Errorf("%s %q was created and cannot be released", id.Kind, id.Value)
				}
			}
		}
		return s.audit(ctx, tx, fmt.Sprintf("release %d identities", len(ids)), done)
	})
}

// Claims returns what the org owns.
func (s *orgStore) Claims(ctx context.Context) (all []registry.Claim, err error) {
	err = s.read(ctx, "read the claims", func(tx tx) error {
		all, err = s.mine(ctx, tx)
		return err
	})
	return all, err
}

func (s *orgStore) mine(ctx context.Context, tx tx) ([]registry.Claim, error) {
	return list(ctx, tx, func(r row) (c registry.Claim, err error) {
		err = r.Scan(&c.Kind, &c.Value, &c.Made)
		return c, err
	}, statement(s.ledger.Mine), s.org())
}

// Taken returns what of some values other orgs own.
func (s *orgStore) Taken(ctx context.Context, values []string) (taken []registry.OwnedError, err error) {
	if len(values) == 0 {
		return nil, nil
	}
	array, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, "ask the ledger", func(tx tx) error {
		taken, err = list(ctx, tx, func(r row) (o registry.OwnedError, err error) {
			err = r.Scan(&o.Kind, &o.Value)
			return o, err
		}, statement(s.ledger.Taken), s.org(), string(array))
		return err
	})
	return taken, err
}
