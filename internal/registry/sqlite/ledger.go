package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// Claim makes the org the owner of the identities, all or none. An identity
// that another org owns is a *registry.OwnedError. Claiming twice is fine, and
// makes a claim that was foreseen a made one if made is true.
func (s *Store) Claim(ctx context.Context, l registry.Lease, made bool, ids ...finding.Identity) error {
	return s.write(ctx, "claim for org "+l.Org, func(tx *sql.Tx) error {
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		for _, id := range ids {
			// The statement changes nothing of another org's, and so returns nothing.
			var owner string
			err := tx.QueryRowContext(ctx, `INSERT INTO ledger (org, kind, value, claimed, made) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (kind, value) DO UPDATE SET made = max(made, excluded.made) WHERE ledger.org = excluded.org
				RETURNING org`, l.Org, id.Kind, id.Value, stamp(s.now()), made).Scan(&owner)
			if errors.Is(err, sql.ErrNoRows) {
				if err := tx.QueryRowContext(ctx, selectOwner, id.Kind, id.Value).Scan(&owner); err != nil {
					return err
				}
				return &registry.OwnedError{Identity: id, Owner: owner}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Release drops claims of the org on what was only foreseen, all or none. It
// refuses a claim on what was made: such an identity has one owner, ever. What
// the org has not claimed is left alone.
func (s *Store) Release(ctx context.Context, l registry.Lease, ids ...finding.Identity) error {
	return s.write(ctx, "release claims of org "+l.Org, func(tx *sql.Tx) error {
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `DELETE FROM ledger WHERE org = ? AND kind = ? AND value = ? AND made = 0`,
				l.Org, id.Kind, id.Value); err != nil {
				return err
			}
			var kept bool
			if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM ledger WHERE org = ? AND kind = ? AND value = ?)`,
				l.Org, id.Kind, id.Value).Scan(&kept); err != nil {
				return err
			}
			if kept {
				return fmt.Errorf("%s %q was created and cannot be released", id.Kind, id.Value)
			}
		}
		return nil
	})
}

// Claims returns what the org owns, in the order of kinds and values.
func (s *Store) Claims(ctx context.Context, org string) ([]registry.Claim, error) {
	out, err := list(ctx, s.db, func(row row) (c registry.Claim, err error) {
		err = row.Scan(&c.Kind, &c.Value, &c.Made)
		return c, err
	}, `SELECT kind, value, made FROM ledger WHERE org = ? ORDER BY kind, value`, org)
	if err != nil {
		return nil, fmt.Errorf("read the claims of org %s: %w", org, err)
	}
	return out, nil
}

const selectOwner = `SELECT org FROM ledger WHERE kind = ? AND value = ?`

// Owner returns who owns an identity, "" if nobody does.
func (s *Store) Owner(ctx context.Context, id finding.Identity) (string, error) {
	var owner string
	err := s.db.QueryRowContext(ctx, selectOwner, id.Kind, id.Value).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the owner of %s %q: %w", id.Kind, id.Value, err)
	}
	return owner, nil
}

// OwnedByOthers returns what of some values other orgs own, in the order of
// kinds and values. It claims nothing.
func (s *Store) OwnedByOthers(ctx context.Context, org string, values []string) ([]registry.OwnedError, error) {
	var out []registry.OwnedError
	// SQLite bounds how many variables a statement has.
	for chunk := range slices.Chunk(values, 500) {
		args := make([]any, 0, len(chunk)+1)
		for _, v := range chunk {
			args = append(args, v)
		}
		more, err := list(ctx, s.db, func(row row) (o registry.OwnedError, err error) {
			err = row.Scan(&o.Kind, &o.Value, &o.Owner)
			return o, err
		}, `SELECT kind, value, org FROM ledger WHERE value IN (?`+strings.Repeat(", ?", len(chunk)-1)+`) AND org <> ?`,
			append(args, org)...)
		if err != nil {
			return nil, fmt.Errorf("ask the ledger for org %s: %w", org, err)
		}
		out = append(out, more...)
	}
	slices.SortFunc(out, func(a, b registry.OwnedError) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	return out, nil
}

// Shared returns every fact that the layers' outputs of two orgs have in
// common. The ledger refuses a second owner, so this reads what was really
// made, and not the ledger.
func (s *Store) Shared(ctx context.Context) ([]finding.Shared, error) {
	type fact struct{ kind, value, org string }
	facts, err := list(ctx, s.db, func(row row) (f fact, err error) {
		err = row.Scan(&f.kind, &f.value, &f.org)
		return f, err
	}, `SELECT DISTINCT j.key, j.value, l.org FROM layers l, json_each(l.outputs) j
		WHERE l.state <> 'removed' AND j.type = 'text' AND j.value <> ''
		AND (j.key LIKE '%Arn' OR j.key IN ('accountId', 'vpcId', 'endpoint', 'oidcIssuer', 'name', 'certificateAuthority', 'externalId', 'controllerRepository'))
		ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, fmt.Errorf("compare the orgs: %w", err)
	}
	var all []finding.Shared
	for _, f := range facts {
		if n := len(all); n > 0 && all[n-1].Kind == f.kind && all[n-1].Value == f.value {
			all[n-1].Owners = append(all[n-1].Owners, f.org)
			continue
		}
		all = append(all, finding.Shared{Kind: f.kind, Value: f.value, Owners: []string{f.org}})
	}
	var out []finding.Shared
	for _, s := range all {
		if len(s.Owners) > 1 {
			out = append(out, s)
		}
	}
	return out, nil
}
