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

	"freehold.dev/freehold/internal/registry/sqlstore"
)

// Store is an open registry. It is safe for use by several goroutines.
type Store struct{ *sqlstore.Store }

// Open opens the registry's file. It makes a new one and upgrades an old one;
// one that is up to date is only read.
func Open(ctx context.Context, file string, now func() time.Time) (*Store, error) {
	db, err := connect(file)
	if err != nil {
		return nil, err
	}
	if _, _, err := upgrade(ctx, db, file); err != nil {
		return nil, errors.Join(fmt.Errorf("upgrade the registry %s: %w", file, err), db.Close())
	}
	return &Store{sqlstore.New(newDatabase(db), ledger, now)}, nil
}

// connect opens the file, and makes it where there is none.
func connect(file string) (*sql.DB, error) {
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
	return db, nil
}

// ledger asks for one org what it may know of the table of all of them.
var ledger = sqlstore.LedgerStatements{
	// The statement changes nothing of another org's, and so returns nothing.
	Claim: `INSERT INTO ledger (org, kind, value, claimed, made) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, value) DO UPDATE SET made = ledger.made OR excluded.made WHERE ledger.org = excluded.org RETURNING org`,
	Release: `DELETE FROM ledger WHERE org = $1 AND kind = $2 AND value = $3 AND NOT made`,
	Mine:    `SELECT kind, value, made FROM ledger WHERE org = $1 ORDER BY kind, value`,
	Taken: `SELECT kind, value FROM ledger WHERE value IN (SELECT value FROM json_each($2)) AND org <> $1
		ORDER BY kind, value`,
	Slots: sqlstore.SlotStatements{
		Mine: `SELECT slot FROM slots WHERE org = $1 AND operation = $2 AND kind = $3`,
		// The statement names the org that asks, and reads no other's name.
		Seen: `SELECT slot, taken, renewals, ttl, org = '' FROM slots WHERE $1 <> '' AND kind = $2 AND slot <= $3 ORDER BY slot`,
		Take: `INSERT INTO slots (kind, slot, org, operation, taken, renewals, ttl) VALUES ($3, $4, $1, $2, 1, 0, $5)
			ON CONFLICT (kind, slot) DO UPDATE SET org = excluded.org, operation = excluded.operation, taken = slots.taken + 1,
			renewals = 0, ttl = excluded.ttl WHERE slots.taken = $6 AND slots.renewals = $7 RETURNING slot`,
		Renew: `UPDATE slots SET renewals = renewals + 1 WHERE org = $1 RETURNING slot`,
		Free: `UPDATE slots SET org = '', operation = '', renewals = renewals + 1
			WHERE org = $1 AND operation = $2 AND (kind = $3 OR $3 = '') RETURNING slot`,
		Pace: `SELECT used FROM paces WHERE $1 <> '' AND kind = $2`,
		SetPace: `INSERT INTO paces (kind, used) SELECT $2, $4 WHERE $1 <> ''
			ON CONFLICT (kind) DO UPDATE SET used = excluded.used WHERE paces.used = $3 RETURNING used`,
	},
}

// database gives transactions of the file. SQLite knows no users, so nothing but
// the statements themselves binds one to its org.
type database struct {
	db *sql.DB
	// writing is held by the one of this process that writes. SQLite itself has
	// those who wait look again after ever longer pauses: with many at it, the file
	// is idle between two, and somebody may wait for longer than a lease lasts.
	// Who waits for a channel is served at once, and in turn.
	writing chan struct{}
}

func newDatabase(db *sql.DB) database { return database{db, make(chan struct{}, 1)} }

// Close closes the file.
func (d database) Close() error { return d.db.Close() }

// Read runs fn without a transaction: the lock for writing is not worth a
// picture of one moment, which no reader needs.
func (d database) Read(_ context.Context, _ string, fn func(sqlstore.Tx) error) error {
	return fn(conn{d.db})
}

// Write runs fn in a transaction that excludes every other in the file.
func (d database) Write(ctx context.Context, _ string, fn func(sqlstore.Tx) error) error {
	return d.write(ctx, fn)
}

// Fleet runs fn in a transaction that excludes every other in the file.
func (d database) Fleet(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return d.write(ctx, fn)
}

// Snapshot runs fn in a transaction that reads the file as it is at its first
// statement, and waits for nobody.
func (d database) Snapshot(ctx context.Context, fn func(sqlstore.Tx) error) (err error) {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return err
	}
	// Nothing was written: how it ends makes no difference.
	defer func() {
		_, rolled := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, rolled)
	}()
	return fn(conn{c})
}

func (d database) write(ctx context.Context, fn func(sqlstore.Tx) error) error {
	select {
	case d.writing <- struct{}{}:
		defer func() { <-d.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(conn{tx}); err != nil {
		// A transaction whose context has ended is rolled back already.
		if rollback := tx.Rollback(); !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
		return err
	}
	return tx.Commit()
}

// conn is a connection, or a transaction on one.
type conn struct {
	on interface {
		ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	}
}

// Exec runs a statement, and returns how many rows it changed.
func (c conn) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	res, err := c.on.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Query runs a statement that returns rows.
func (c conn) Query(ctx context.Context, statement string, args ...any) (sqlstore.Rows, error) {
	rows, err := c.on.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return rows, nil
}
