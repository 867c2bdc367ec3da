package registry

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/finding"
)

// Identity is one physical thing that only one org may own.
type Identity struct {
	Kind  string // account, e-mail, boundary, cluster, vpc, key, endpoint, issuer…
	Value string
}

// OwnedError says that an identity has another owner.
type OwnedError struct {
	Identity
	Owner string
}

// Error names the identity and its owner.
func (e *OwnedError) Error() string {
	return fmt.Sprintf("%s %q belongs to org %q", e.Kind, e.Value, e.Owner)
}

// Claim writes the org down as the owner of the identities, all or none. An
// identity that another org owns is an *OwnedError. Claiming twice is fine.
func (r *Registry) Claim(ctx context.Context, org string, ids ...Identity) (err error) {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("claim for org %s: %w", org, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("claim for org %s: %w", org, err), tx.Rollback())
		}
	}()
	for _, id := range ids {
		var owner string
		err = tx.QueryRowContext(ctx, `SELECT org FROM ledger WHERE kind = ? AND value = ?`, id.Kind, id.Value).Scan(&owner)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			if _, err = tx.ExecContext(ctx, `INSERT INTO ledger (org, kind, value, claimed) VALUES (?, ?, ?, ?)`,
				org, id.Kind, id.Value, stamp(r.now())); err != nil {
				return err
			}
		case err != nil:
			return err
		case owner != org:
			return &OwnedError{Identity: id, Owner: owner}
		}
	}
	return tx.Commit()
}

// Owner returns who owns an identity, "" if nobody does.
func (r *Registry) Owner(ctx context.Context, id Identity) (string, error) {
	var owner string
	err := r.db.QueryRowContext(ctx, `SELECT org FROM ledger WHERE kind = ? AND value = ?`, id.Kind, id.Value).Scan(&owner)
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
func (r *Registry) OwnedByOthers(ctx context.Context, org string, values []string) ([]OwnedError, error) {
	var out []OwnedError
	// SQLite bounds how many variables a statement has.
	for chunk := range slices.Chunk(values, 500) {
		args := make([]any, 0, len(chunk)+1)
		for _, v := range chunk {
			args = append(args, v)
		}
		more, err := r.owned(ctx, `SELECT kind, value, org FROM ledger WHERE value IN (?`+strings.Repeat(", ?", len(chunk)-1)+`) AND org <> ?`,
			append(args, org)...)
		if err != nil {
			return nil, fmt.Errorf("ask the ledger for org %s: %w", org, err)
		}
		out = append(out, more...)
	}
	slices.SortFunc(out, func(a, b OwnedError) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value)) })
	return out, nil
}

func (r *Registry) owned(ctx context.Context, query string, args ...any) ([]OwnedError, error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []OwnedError
	for rows.Next() {
		var o OwnedError
		if err := rows.Scan(&o.Kind, &o.Value, &o.Owner); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Forget drops an org's claims that were made before the thing existed and
// will now never exist.
func (r *Registry) Forget(ctx context.Context, org string, ids ...Identity) error {
	for _, id := range ids {
		if _, err := r.db.ExecContext(ctx, `DELETE FROM ledger WHERE org = ? AND kind = ? AND value = ?`,
			org, id.Kind, id.Value); err != nil {
			return fmt.Errorf("forget %s %q of org %s: %w", id.Kind, id.Value, org, err)
		}
	}
	return nil
}

// Shared returns every fact that the layers' outputs of two orgs have in
// common. The ledger refuses a second owner, so this reads what was really
// made, and not the ledger.
func (r *Registry) Shared(ctx context.Context) ([]finding.Shared, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT DISTINCT j.key, j.value, l.org FROM layers l, json_each(l.outputs) j
		WHERE l.state <> 'removed' AND j.type = 'text' AND j.value <> ''
		AND (j.key LIKE '%Arn' OR j.key IN ('accountId', 'vpcId', 'endpoint', 'oidcIssuer', 'name', 'certificateAuthority', 'externalId', 'controllerRepository'))
		ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, fmt.Errorf("compare the orgs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []finding.Shared
	for rows.Next() {
		var kind, value, org string
		if err := rows.Scan(&kind, &value, &org); err != nil {
			return nil, fmt.Errorf("compare the orgs: %w", err)
		}
		if n := len(all); n > 0 && all[n-1].Kind == kind && all[n-1].Value == value {
			all[n-1].Owners = append(all[n-1].Owners, org)
			continue
		}
		all = append(all, finding.Shared{Kind: kind, Value: value, Owners: []string{org}})
	}
	var out []finding.Shared
	for _, s := range all {
		if len(s.Owners) > 1 {
			out = append(out, s)
		}
	}
	return out, rows.Err()
}
