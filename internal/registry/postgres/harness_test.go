package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

// connection is one to a URL, with the search path of the driver's.
func connection(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	c.RuntimeParams["search_path"] = "freehold, pg_temp"
	conn, err := pgx.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func superuser(t *testing.T, db pgtest.DB) *pgx.Conn { return connection(t, db.Superuser) }

// open is the driver on a database.
func open(t *testing.T, db pgtest.DB) *postgres.Database {
	t.Helper()
	d, err := postgres.Connect(t.Context(), db.Service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// as binds a transaction on the service's connection to an org, as the driver
// does, and undoes it at the end.
func as(t *testing.T, conn *pgx.Conn, org string) pgx.Tx {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	do(t, tx, "SELECT set_config('role', 'freehold_org', true), set_config('app.org', $1, true)", org)
	return tx
}

type executor interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// do runs a statement that has to work, and returns its rows.
func do(t *testing.T, on executor, statement string, args ...any) [][]any {
	t.Helper()
	rows, err := try(t, on, statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return rows
}

func try(t *testing.T, on executor, statement string, args ...any) ([][]any, error) {
	t.Helper()
	rows, err := on.Query(t.Context(), statement, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) ([]any, error) { return r.Values() })
}
