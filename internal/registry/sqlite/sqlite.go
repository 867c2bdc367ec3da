// Package sqlite is the registry in one SQLite file, which several processes of
// one machine may use at once. It survives a kill at any moment.
//
// The clock of leases is the machine's. A file on a network file system is not
// supported: SQLite's locks do not hold there.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// Store is an open registry. It is safe for use by several goroutines.
type Store struct {
	db  *sql.DB
	now func() time.Time
}

// Open opens the registry's file. It makes a new one and upgrades an old one;
// one that is up to date is only read.
func Open(ctx context.Context, file string, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("open the registry: %w", err)
	}
	// Every transaction takes the lock for writing at its start: one that began
	// by reading could not get it later without the risk of a stale read.
	//
	// A commit outlives every process as soon as it is made. A power failure may
	// lose the newest ones, never the file: what they recorded is seen again in
	// the states and in the cloud. Each event is a commit, and waiting for the
	// disk with each would double an onboarding's share of it.
	q := url.Values{
		"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"}, "_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", "file:"+file+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the registry %s: %w", file, err)
	}
	if err := upgrade(ctx, db, file); err != nil {
		return nil, errors.Join(fmt.Errorf("upgrade the registry %s: %w", file, err), db.Close())
	}
	return &Store{db: db, now: now}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// write runs fn in one transaction, and says of an error what was tried.
func (s *Store) write(ctx context.Context, what string, fn func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := fn(tx); err != nil {
		// A transaction whose context has ended is rolled back already.
		if rollback := tx.Rollback(); !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type row interface{ Scan(...any) error }

const layout = "2006-01-02T15:04:05.000000000Z"

// stamp writes a time so that text order is time order.
func stamp(t time.Time) string { return t.UTC().Format(layout) }

func unstamp(s string) (time.Time, error) {
	t, err := time.Parse(layout, s)
	if err != nil {
		return t, fmt.Errorf("read a time in the registry: %w", err)
	}
	return t, nil
}
