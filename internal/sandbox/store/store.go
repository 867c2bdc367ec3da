// Package store keeps the sandbox cloud's state in one SQLite file. A change
// and its journal entry are one transaction, so that a process that is killed
// at any moment leaves a state that some sequence of whole calls made; several
// processes may use the file at once.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver, in Go: the binary needs no C library
)

//go:embed migrations/*.sql
var migrations embed.FS

// Global is the region of what has none.
const Global = "global"

// file is the database's name in the sandbox's directory.
const file = "sandbox.db"

// Store is an open database.
type Store struct {
	// SQLite has one writer. One connection for it makes the goroutines of
	// this process queue in Go instead of polling for the file's lock.
	write *sql.DB
	read  *sql.DB
}

// Open opens the database in dir, and makes both if they are missing.
func Open(ctx context.Context, dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	path := filepath.Join(dir, file)
	write, err := open(path, "immediate", 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, path, write); err != nil {
		return nil, errors.Join(fmt.Errorf("open sandbox %s: %w", path, err), write.Close())
	}
	read, err := open(path, "deferred", 8)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &Store{write: write, read: read}, nil
}

func open(path, lock string, conns int) (*sql.DB, error) {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(30000)", "journal_mode(WAL)", "foreign_keys(1)",
		// With WAL, NORMAL loses nothing when the process dies, only when the machine does.
		"synchronous(NORMAL)",
	}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open sandbox %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	return db, nil
}

// migrate holds a lock of its own: goose has none for SQLite, and two first
// processes would both make the tables.
func migrate(ctx context.Context, path string, db *sql.DB) error {
	lock := flock.New(path + ".lock")
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer lock.Unlock() //nolint:errcheck // closing the file releases it
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// Write runs f in a transaction that holds the file's write lock from its
// start, and commits if f returns nil. f must be quick: everybody else waits.
func (s *Store) Write(ctx context.Context, f func(*Tx) error) error {
	return run(ctx, s.write, f)
}

// Read runs f on a snapshot.
func (s *Store) Read(ctx context.Context, f func(*Tx) error) error {
	return run(ctx, s.read, f)
}

func run(ctx context.Context, db *sql.DB, f func(*Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sandbox: begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := f(&Tx{ctx: ctx, tx: tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sandbox: commit: %w", err)
	}
	return nil
}

// Reset empties every table.
func (s *Store) Reset(ctx context.Context) error {
	return s.Write(ctx, func(tx *Tx) error {
		for _, table := range []string{"identities", "resources", "journal", "faults", "counters", "settings"} {
			if _, err := tx.tx.ExecContext(ctx, "delete from "+table); err != nil {
				return fmt.Errorf("reset %s: %w", table, err)
			}
		}
		return nil
	})
}
