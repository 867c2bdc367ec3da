package sqlstore

import (
	"context"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
)

// Store is a registry over a database.
type Store struct {
	db     Database
	ledger LedgerStatements
	now    func() time.Time
}

var (
	_ registry.Store      = (*Store)(nil)
	_ registry.OrgStore   = (*orgStore)(nil)
	_ registry.FleetStore = (*fleetStore)(nil)
)

// New is the registry over db, which it closes. now stamps what is written.
func New(db Database, ledger LedgerStatements, now func() time.Time) *Store {
	return &Store{db: db, ledger: ledger, now: now}
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Org is the registry as one org has it.
func (s *Store) Org(c orgcontext.Context) registry.OrgStore { return &orgStore{Store: s, c: c} }

// Fleet reads over all orgs.
func (s *Store) Fleet(f orgcontext.Fleet) registry.FleetStore { return &fleetStore{Store: s, f: f} }

// orgStore is the registry as the org of its context has it.
type orgStore struct {
	*Store

	c orgcontext.Context
}

func (s *orgStore) org() string { return s.c.Org() }

// read and write run fn in a transaction of the org, and say of an error what
// was tried.
func (s *orgStore) read(ctx context.Context, what string, fn func(tx) error) error {
	return s.run(ctx, s.db.Read, what, fn)
}

func (s *orgStore) write(ctx context.Context, what string, fn func(tx) error) error {
	return s.run(ctx, s.db.Write, what, fn)
}

func (s *orgStore) run(ctx context.Context, in func(context.Context, string, func(Tx) error) error, what string, fn func(tx) error) error {
	if !s.c.Valid() {
		return fmt.Errorf("%s: %w", what, registry.ErrNoOrg)
	}
	if err := in(ctx, s.org(), func(t Tx) error { return fn(tx{t}) }); err != nil {
		return fmt.Errorf("%s of org %s: %w", what, s.org(), err)
	}
	return nil
}

// tx is a transaction that takes the statements of this package only.
type tx struct{ Tx }

func (t tx) exec(ctx context.Context, s statement, args ...any) error {
	_, err := t.Exec(ctx, string(s), args...)
	return err
}

// changed is exec, and reports whether a row was changed.
func (t tx) changed(ctx context.Context, s statement, args ...any) (bool, error) {
	n, err := t.Exec(ctx, string(s), args...)
	return n > 0, err
}

// one reads the only row of a statement, and reports whether there is one.
func one[T any](ctx context.Context, t tx, scan func(row) (T, error), s statement, args ...any) (v T, ok bool, err error) {
	all, err := list(ctx, t, scan, s, args...)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// list reads all rows of a statement.
func list[T any](ctx context.Context, t tx, scan func(row) (T, error), s statement, args ...any) (out []T, err error) {
	rows, err := t.Query(ctx, string(s), args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

type row interface{ Scan(...any) error }

func scanNumber(r row) (n int64, err error) { err = r.Scan(&n); return n, err }

func scanText(r row) (s string, err error) { err = r.Scan(&s); return s, err }

const layout = "2006-01-02T15:04:05.000000000Z"

// stamp writes a time so that text order is time order.
func stamp(t time.Time) string { return t.UTC().Format(layout) }

// stampAny is stamp for a time that may be missing.
func stampAny(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}

func unstamp(s string) (time.Time, error) {
	t, err := time.Parse(layout, s)
	if err != nil {
		return t, fmt.Errorf("read a time in the registry: %w", err)
	}
	return t, nil
}

// unstampAny is unstamp for a time that may be missing.
func unstampAny(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return unstamp(s)
}
