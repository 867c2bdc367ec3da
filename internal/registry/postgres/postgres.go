// Package postgres is the registry in a PostgreSQL database, which several
// machines may use at once.
//
// Nothing that the service's login has by itself lets it read a row. Each
// transaction takes one of two roles: that of one org, whose rows the database
// then keeps from all others by row-level security, or that of the fleet, which
// reads. The role and the org are sent with the transaction's first statement,
// in one round trip, and end with it. What forgets them is refused.
//
// The tables belong to another role, which Migrate runs as. What row-level
// security is for, and what it is not, is in
// docs/decisions/0019-rows-belong-to-orgs.md.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlstore"
)

// The roles are of the whole server, and everything that an org has, or that is
// read over all orgs, is granted to them and not to a login.
const (
	orgRole    = "freehold_org"
	fleetRole  = "freehold_fleet"
	ledgerRole = "freehold_ledger" // owns the ledger and the functions that ask it
)

// schema is where everything of Freehold's is.
const schema = "freehold"

// Store is an open registry. It is safe for use by several goroutines.
type Store struct{ *sqlstore.Store }

// Open opens the registry in the database that a URL names, as the service. It
// refuses a login that could get around the policies, and a schema that this
// freehold was not written for. The URL's password is in no error. now stamps
// what is written.
func Open(ctx context.Context, url string, now func() time.Time, o ...Option) (*Store, error) {
	d, err := connect(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return &Store{sqlstore.New(d, ledger, now)}, nil
}

// ledger asks what an org may know of the tables of all of them, by functions that
// take the org from the transaction. What they return has lost its collation.
var ledger = sqlstore.LedgerStatements{
	Claim:   `SELECT org FROM ledger_claim($1, $2, $3, $4, $5) AS org`,
	Release: `SELECT org FROM ledger_release($1, $2, $3) AS org`,
	Mine:    `SELECT kind, value, made FROM ledger_mine($1) ORDER BY kind COLLATE "C", value COLLATE "C"`,
	Taken:   `SELECT kind, value FROM ledger_taken($1, $2) ORDER BY kind COLLATE "C", value COLLATE "C"`,
	Slots: sqlstore.SlotStatements{
		Mine:    `SELECT slot FROM slots_mine($1, $2, $3) AS slot`,
		Seen:    `SELECT slot, taken, renewals, ttl, free FROM slots_seen($1, $2, $3) ORDER BY slot`,
		Take:    `SELECT slot FROM slots_take($1, $2, $3, $4, $5, $6, $7) AS slot`,
		Renew:   `SELECT slot FROM slots_renew($1) AS slot`,
		Free:    `SELECT slot FROM slots_free($1, $2, $3) AS slot`,
		Pace:    `SELECT used FROM slots_pace($1, $2) AS used`,
		SetPace: `SELECT used FROM slots_set_pace($1, $2, $3, $4) AS used`,
	},
}

// database gives transactions on a pool of connections.
type database struct{ pool *pgxpool.Pool }

func connect(ctx context.Context, url string, o []Option) (*database, error) {
	c, err := parse(ctx, url, o)
	if err != nil {
		return nil, fmt.Errorf("open the registry: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, c.pool)
	if err != nil {
		return nil, fmt.Errorf("open the registry: %w", err)
	}
	if err := pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return admit(ctx, conn.Conn()) }); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open the registry %s: %w", c.where(), err)
	}
	return &database{pool: pool}, nil
}

// Close closes all connections.
func (d *database) Close() error {
	d.pool.Close()
	return nil
}

// bind gives a transaction its role, its org, and the names that its statements
// mean, whatever was left on the connection by the one before.
const bind = "SELECT set_config('role', $1, true), set_config('app.org', $2, true), set_config('search_path', '" + searchPath + "', true)"

// Read runs fn in a transaction that sees the rows of one org, as they were at
// its first statement, and changes nothing.
func (d *database) Read(ctx context.Context, org string, fn func(sqlstore.Tx) error) error {
	return d.run(ctx, begin{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", bind, orgRole, org}, fn)
}

// Write runs fn in a transaction that touches the rows of one org, and excludes
// every other Write on that org.
func (d *database) Write(ctx context.Context, org string, fn func(sqlstore.Tx) error) error {
	// Each statement sees what was committed before it, the first one too: it
	// begins when the lock is held.
	return d.run(ctx, begin{"BEGIN", bind + ", pg_advisory_xact_lock(hashtextextended($2, 0))", orgRole, org}, fn)
}

// Fleet runs fn in a transaction that reads the rows of all orgs, and may append
// to the fleet's audit log. It excludes every other Fleet: each appends.
func (d *database) Fleet(ctx context.Context, fn func(sqlstore.Tx) error) error {
	// Locks by two numbers are other locks than those by one.
	return d.run(ctx, begin{"BEGIN", bind + ", pg_advisory_xact_lock(0, 0)", fleetRole, ""}, fn)
}

// Snapshot runs fn in a transaction that reads the rows of all orgs as they were
// at its first statement, and changes nothing. It may take as long as whoever
// reads what comes of it, and holds up nobody.
func (d *database) Snapshot(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return d.run(ctx, begin{
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		bind + ", set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)", fleetRole, "",
	}, fn)
}

func (d *database) run(ctx context.Context, b begin, fn func(sqlstore.Tx) error) (err error) {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return away(ctx, fmt.Errorf("connect to the registry: %w", err))
	}
	defer conn.Release()
	defer func() {
		if err != nil && conn.Conn().IsClosed() {
			err = away(ctx, err)
		}
	}()
	t := &transaction{conn: conn.Conn(), begin: b}
	ended := false
	defer func() {
		if !ended {
			err = errors.Join(err, t.rollback(ctx))
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	ended = true
	return t.commit(ctx)
}

// away is the error of a connection that cannot be had, or that broke: the server is
// away, unless the caller gave up.
func away(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", registry.ErrUnavailable, err)
}

// begin is what goes before a transaction's first statement.
type begin struct{ begin, bind, role, org string }

// busy says who else is at it, where the wait for the lock was too long.
func (b begin) busy(err error) error {
	switch {
	case !is(err, lockTimeout):
		return err
	case b.org == "":
		return fmt.Errorf("others have been reading over all orgs for %s: try again: %w", limits["lock_timeout"], err)
	}
	return fmt.Errorf("another process has been writing for org %s for %s: try again: %w", b.org, limits["lock_timeout"], err)
}

// transaction begins with its first statement.
type transaction struct {
	conn  *pgx.Conn
	begin begin
	begun bool
}

// Exec runs a statement, and returns how many rows it changed.
func (t *transaction) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	if t.begun {
		tag, err := t.conn.Exec(ctx, statement, args...)
		return tag.RowsAffected(), err
	}
	batch, err := t.first(ctx, statement, args)
	if err != nil {
		return 0, err
	}
	tag, err := batch.Exec()
	return tag.RowsAffected(), errors.Join(err, batch.Close())
}

// Query runs a statement that returns rows. They have to be closed before the
// next statement.
func (t *transaction) Query(ctx context.Context, statement string, args ...any) (sqlstore.Rows, error) {
	if t.begun {
		rows, err := t.conn.Query(ctx, statement, args...)
		if err != nil {
			return nil, err
		}
		return &read{Rows: rows}, nil
	}
	batch, err := t.first(ctx, statement, args)
	if err != nil {
		return nil, err
	}
	rows, err := batch.Query()
	if err != nil {
		return nil, errors.Join(err, batch.Close())
	}
	return &read{Rows: rows, batch: batch}, nil
}

// first sends the beginning and the first statement in one round trip, and
// reads the answers to the beginning.
func (t *transaction) first(ctx context.Context, statement string, args []any) (pgx.BatchResults, error) {
	var b pgx.Batch
	b.Queue(t.begin.begin)
	b.Queue(t.begin.bind, t.begin.role, t.begin.org)
	b.Queue(statement, args...)
	t.begun = true
	batch := t.conn.SendBatch(ctx, &b)
	for range 2 {
		if _, err := batch.Exec(); err != nil {
			// Close repeats it.
			_ = batch.Close()
			return nil, t.begin.busy(err)
		}
	}
	return batch, nil
}

func (t *transaction) commit(ctx context.Context) error {
	if !t.begun {
		return nil
	}
	tag, err := t.conn.Exec(ctx, "COMMIT")
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	// The server answers a COMMIT after an error like this, and calls it a success.
	if tag.String() != "COMMIT" {
		return errors.New("commit: an earlier statement of the transaction had failed, and it was rolled back")
	}
	return nil
}

// rolledBack is how long a rollback may take. A connection on which it does not
// end is closed, which rolls back as well.
const rolledBack = 5 * time.Second

func (t *transaction) rollback(ctx context.Context) error {
	// Where a context ends during a statement, pgx closes the connection.
	if !t.begun || t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rolledBack)
	defer cancel()
	if _, err := t.conn.Exec(ctx, "ROLLBACK"); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// read are the rows of a query, and the batch that it was sent in.
type read struct {
	pgx.Rows

	batch pgx.BatchResults
}

// Close ends the reading, and returns what went wrong with it.
func (r *read) Close() error {
	r.Rows.Close()
	err := r.Err()
	if r.batch != nil {
		if closed := r.batch.Close(); err == nil {
			err = closed
		}
	}
	return err
}
