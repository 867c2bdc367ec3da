package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/sqlstore"
)

// A relay stands between the driver and the server, and counts how often the
// talk changes direction: each time is a round trip, whatever the network.
type relay struct {
	turns atomic.Int64
	addr  string
}

func relayTo(t *testing.T, server string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := &relay{addr: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			var asking atomic.Bool
			pass := func(from, to net.Conn, ask bool) {
				buffer := make([]byte, 1<<16)
				for {
					n, err := from.Read(buffer)
					if n > 0 && asking.Swap(ask) != ask && ask {
						r.turns.Add(1)
					}
					if _, w := to.Write(buffer[:n]); err != nil || w != nil {
						_, _ = from.Close(), to.Close()
						return
					}
				}
			}
			go pass(client, to, true)
			go pass(to, client, false)
		}
	}()
	return r
}

func TestATransactionTakesOneRoundTripMoreThanItsStatements(t *testing.T) {
	db := pgtest.Database(t)
	server := net.JoinHostPort("127.0.0.1", portOf(t, db.Service))
	r := relayTo(t, server)
	d, err := postgres.Connect(t.Context(), strings.Replace(db.Service, server, r.addr, 1)+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	statements := func(n int) func(sqlstore.Tx) error {
		return func(tx sqlstore.Tx) (err error) {
			for range n {
				var token int64
				err = errors.Join(err, one(t.Context(), tx, "SELECT coalesce(max(token), 0) FROM fences WHERE org = $1", &token, "acme"))
			}
			return err
		}
	}
	for name, in := range map[string]func(context.Context, string, func(sqlstore.Tx) error) error{
		"a read": d.Read, "a write": d.Write, "the fleet's": func(ctx context.Context, _ string, fn func(sqlstore.Tx) error) error { return d.Fleet(ctx, fn) },
	} {
		if err := in(t.Context(), "acme", statements(2)); err != nil { // prepares what is asked again
			t.Fatal(err)
		}
		for n, want := range map[int]int64{0: 0, 1: 2, 3: 4} {
			before := r.turns.Load()
			if err := in(t.Context(), "acme", statements(n)); err != nil {
				t.Fatal(err)
			}
			if got := r.turns.Load() - before; got != want {
				t.Errorf("%s with %d statements takes %d round trips, expected %d", name, n, got, want)
			}
		}
	}
}

func portOf(t *testing.T, url string) string {
	t.Helper()
	c, err := pgconn.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	_, port, ok := strings.Cut(url[:strings.LastIndex(url, "/")], "127.0.0.1:")
	if !ok || c.Port == 0 {
		t.Fatal(url)
	}
	return port
}

func TestAWriteExcludesEveryOtherOfItsOrgAndNoneOfAnother(t *testing.T) {
	db := pgtest.Database(t)
	a, b := open(t, db), open(t, db)
	var inside, most atomic.Int64
	var group sync.WaitGroup
	count := func(tx sqlstore.Tx) error {
		if n := inside.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer inside.Add(-1)
		// Each adds to what it read: only one at a time loses nothing.
		var token int64
		if err := one(t.Context(), tx, "SELECT coalesce(max(token), 0) FROM fences WHERE org = $1", &token, "acme"); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, $2) ON CONFLICT (org) DO UPDATE SET token = excluded.token", "acme", token+1)
		return err
	}
	const each = 20
	for _, d := range []*postgres.Database{a, b, a, b} {
		group.Go(func() {
			for range each {
				if err := d.Write(t.Context(), "acme", count); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	var token int64
	if err := a.Read(t.Context(), "acme", func(tx sqlstore.Tx) error {
		return one(t.Context(), tx, "SELECT token FROM fences WHERE org = $1", &token, "acme")
	}); err != nil || token != 4*each {
		t.Errorf("%d of %d writes count, %v", token, 4*each, err)
	}
	// While acme's is open, globex's is not kept waiting.
	err := a.Write(t.Context(), "acme", func(tx sqlstore.Tx) error {
		return errors.Join(one(t.Context(), tx, "SELECT 1", &token), b.Write(t.Context(), "globex", func(tx sqlstore.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, 1)", "globex")
			return err
		}))
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatATransactionDidIsUndoneWithAnError(t *testing.T) {
	d := open(t, pgtest.Database(t))
	put := func(tx sqlstore.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, 1)", "acme")
		return err
	}
	fences := func() (n int64) {
		if err := d.Read(t.Context(), "acme", func(tx sqlstore.Tx) error { return one(t.Context(), tx, "SELECT count(*) FROM fences", &n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	wrong := errors.New("wrong")
	if err := d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error { return errors.Join(put(tx), wrong) }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error { _ = put(tx); panic("wrong") })
	}()
	// The server calls a COMMIT of what failed a success.
	if err := d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error {
		_ = put(tx)
		_, _ = tx.Exec(t.Context(), "SELECT 1 / 0")
		return nil
	}); err == nil || !strings.Contains(err.Error(), "rolled back") {
		t.Errorf("an error that fn did not return: %v", err)
	}
	if err := d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, 1)", "globex")
		return err
	}); code(err) != denied {
		t.Errorf("another org's row: %v", err)
	}
	if err := d.Read(t.Context(), "acme", put); code(err) != "25006" {
		t.Errorf("a write in a Read: %v", err)
	}
	if n := fences(); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := d.Write(ctx, "acme", func(tx sqlstore.Tx) error {
		defer cancel()
		return put(tx)
	}); err == nil {
		t.Error("a transaction whose context has ended is committed")
	}
	if err := d.Write(t.Context(), "acme", put); err != nil || fences() != 1 {
		t.Errorf("after all that: %v", err)
	}
}

// A process that is stopped in the middle of a transaction holds its org.
func TestAClientThatStopsInATransactionLosesItsOrg(t *testing.T) {
	t.Parallel() // it waits for five seconds
	db := pgtest.Database(t)
	d, other := open(t, db), open(t, db)
	held, resumed := make(chan struct{}), make(chan struct{})
	stopped := make(chan error, 1)
	go func() {
		stopped <- d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, 1)", "acme")
			close(held)
			<-resumed
			return err
		})
	}()
	<-held
	began := time.Now()
	err := other.Write(t.Context(), "acme", func(tx sqlstore.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, 2)", "acme")
		return err
	})
	if took := time.Since(began); err != nil || took > 14*time.Second {
		t.Errorf("the next one had the org after %s: %v", took, err)
	}
	close(resumed)
	var unused int64
	if err := d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error { return one(t.Context(), tx, "SELECT 1::bigint", &unused) }); err != nil {
		t.Errorf("the client that went on: %v", err)
	}
	if err := <-stopped; err == nil {
		t.Error("what the stopped client wrote is committed")
	}
	var token int64
	if err := other.Read(t.Context(), "acme", func(tx sqlstore.Tx) error { return one(t.Context(), tx, "SELECT token FROM fences", &token) }); err != nil || token != 2 {
		t.Errorf("token %d, %v", token, err)
	}
}

func TestAnAuditLogIsOnlyAddedTo(t *testing.T) {
	db := pgtest.Database(t)
	admin := superuser(t, db)
	do(t, admin, "INSERT INTO audit_log VALUES ('acme', 1, '', '', '', '', '', '', '')")
	do(t, admin, "INSERT INTO fleet_audit_log VALUES (1, '', '', '', '', '', '', '')")
	do(t, admin, "SET session_replication_role = replica") // which skips other triggers
	for _, table := range []string{"audit_log", "fleet_audit_log"} {
		for _, statement := range []string{
			"UPDATE " + table + " SET actor = 'nobody'", "UPDATE " + table + " SET actor = 'nobody' WHERE false", "DELETE FROM " + table,
			"DELETE FROM " + table + " WHERE false", "TRUNCATE " + table,
		} {
			if _, err := try(t, admin, statement); code(err) != denied || !strings.Contains(err.Error(), "the audit log is append-only") {
				t.Errorf("a superuser: %s: %v", statement, err)
			}
		}
	}
}

// Rows that are still to be read when the transaction ends are no trap.
func TestRowsThatAreNotReadToTheEndDoNotBreakTheTransaction(t *testing.T) {
	d := open(t, pgtest.Database(t))
	for _, first := range []bool{true, false} {
		err := d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error {
			if !first {
				if _, err := tx.Exec(t.Context(), "SELECT 1"); err != nil {
					return err
				}
			}
			rows, err := tx.Query(t.Context(), "SELECT i FROM generate_series(1, 100000) i")
			if err != nil {
				return err
			}
			if !rows.Next() {
				return io.ErrUnexpectedEOF
			}
			if err := rows.Close(); err != nil {
				return err
			}
			rows, err = tx.Query(t.Context(), "SELECT 1 / 0")
			if err == nil {
				for rows.Next() {
				}
				err = errors.Join(rows.Err(), rows.Close())
			}
			if code(err) != "22012" && !strings.Contains(err.Error(), "22012") {
				t.Errorf("an error in a row: %v", err)
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "rolled back") {
			t.Errorf("first %v: %v", first, err)
		}
	}
}

func TestASnapshotMayTakeAsLongAsItsReaderAndNothingElseMay(t *testing.T) {
	d := open(t, pgtest.Database(t))
	limits := func(limits *[2]string) func(sqlstore.Tx) error {
		return func(tx sqlstore.Tx) error {
			return errors.Join(
				one(t.Context(), tx, "SELECT current_setting('statement_timeout')", &limits[0]),
				one(t.Context(), tx, "SELECT current_setting('idle_in_transaction_session_timeout')", &limits[1]),
			)
		}
	}
	var snapshot, fleet, read, write [2]string
	if err := errors.Join(
		d.Snapshot(t.Context(), limits(&snapshot)), d.Fleet(t.Context(), limits(&fleet)),
		d.Read(t.Context(), "acme", limits(&read)), d.Write(t.Context(), "acme", limits(&write)),
	); err != nil {
		t.Fatal(err)
	}
	if all := [2]string{"30s", "5s"}; snapshot != [2]string{"0", "0"} || fleet != all || read != all || write != all {
		t.Errorf("snapshot %v, fleet %v, read %v, write %v", snapshot, fleet, read, write)
	}
}

// A lock that is held for longer than anybody should is said to be somebody's.
func TestWhoWaitsTooLongForAnOrgHearsThatSomebodyWritesForIt(t *testing.T) {
	db := pgtest.Database(t)
	do(t, superuser(t, db), "SELECT pg_advisory_lock(hashtextextended('acme', 0)), pg_advisory_lock(0, 0)")
	d, err := postgres.Connect(t.Context(), db.Service, postgres.LockTimeout("50ms"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	var n int64
	ask := func(tx sqlstore.Tx) error { return one(t.Context(), tx, "SELECT 1::bigint", &n) }
	if err := d.Write(t.Context(), "acme", ask); err == nil || !strings.Contains(err.Error(), "another process has been writing for org acme") {
		t.Errorf("got %v", err)
	}
	if err := d.Fleet(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "reading over all orgs") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(d.Read(t.Context(), "acme", ask), d.Write(t.Context(), "globex", ask), d.Snapshot(t.Context(), ask)); err != nil {
		t.Errorf("those that need no such lock: %v", err)
	}
}
