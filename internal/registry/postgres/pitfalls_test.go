package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/sqlstore"
)

// The thirteen ways in which row-level security is known to leak, each shown on
// what the migrations made. docs/decisions/0019-rows-belong-to-orgs.md lists them.

// twoOrgs is a database with a fence of acme's and one of globex's.
func twoOrgs(t *testing.T) pgtest.DB {
	t.Helper()
	db := pgtest.Database(t)
	do(t, superuser(t, db), "INSERT INTO fences (org, token) VALUES ('acme', 1), ('globex', 2)")
	return db
}

// code is what the server gave as the reason.
func code(err error) string {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return e.Code
}

const (
	denied     = "42501" // insufficient_privilege, also what a policy refuses
	duplicated = "23505"
)

func TestTheOwnerOfTheTablesIsBoundByThePoliciesToo(t *testing.T) {
	db := twoOrgs(t)
	owner := connection(t, db.Owner)
	if rows := do(t, owner, "SELECT * FROM fences"); len(rows) > 0 {
		t.Errorf("the owner sees %v", rows)
	}
	if _, err := try(t, owner, "INSERT INTO fences (org, token) VALUES ('acme', 1)"); code(err) != denied {
		t.Errorf("the owner inserts: %v", err)
	}
	if rows := do(t, superuser(t, db), "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname IN ($1, $2, 'freehold_org', 'freehold_fleet', 'freehold_ledger')",
		pgtest.OwnerLogin, pgtest.ServiceLogin); len(rows) != 5 || slices.ContainsFunc(rows, func(r []any) bool { return r[0].(bool) }) {
		t.Errorf("the roles that are exempt: %v", rows)
	}
}

func TestAnOrgThatIsNotSetIsNoOrg(t *testing.T) {
	conn := connection(t, twoOrgs(t).Service)
	// The setting is NULL before its first use, and '' after one that ended.
	for range 2 {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		do(t, tx, "SET LOCAL ROLE freehold_org")
		if rows := do(t, tx, "SELECT * FROM fences"); len(rows) > 0 {
			t.Errorf("without an org: %v", rows)
		}
		do(t, tx, "SAVEPOINT before")
		if _, err := try(t, tx, "INSERT INTO fences (org, token) VALUES ('', 3)"); code(err) != denied {
			t.Errorf("a row of nobody: %v", err)
		}
		do(t, tx, "ROLLBACK TO before")
		do(t, tx, "SELECT set_config('app.org', 'acme', true)")
		if rows := do(t, tx, "SELECT org FROM fences"); len(rows) != 1 || rows[0][0] != "acme" {
			t.Errorf("with an org: %v", rows)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if rows := do(t, conn, "SELECT current_setting('app.org', true)"); rows[0][0] != "" {
		t.Errorf("this server does not behave as the test is about: %v", rows)
	}
}

func TestAUniqueKeyOverAllOrgsIsBehindAFunctionThatAnswersOnlyClaimedOrTaken(t *testing.T) {
	db := pgtest.Database(t)
	conn := connection(t, db.Service)
	claim := func(org string) ([][]any, error) {
		tx := as(t, conn, org)
		rows, err := try(t, tx, "SELECT * FROM ledger_claim($1, 'vpc', 'vpc-1', '2026', false)", org)
		return rows, errors.Join(err, tx.Commit(t.Context()))
	}
	if rows, err := claim("globex"); err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	if rows, err := claim("acme"); err != nil || len(rows) > 0 {
		t.Errorf("what globex owns, to acme: %v, %v; expected no row and no error", rows, err)
	}
	tx := as(t, conn, "acme")
	if rows := do(t, tx, "SELECT * FROM ledger_taken('acme', '[\"vpc-1\", \"vpc-2\"]')"); fmt.Sprint(rows) != "[[vpc vpc-1]]" {
		t.Errorf("taken: %v", rows)
	}
	if rows := do(t, tx, "SELECT * FROM ledger_mine('acme')"); len(rows) > 0 {
		t.Errorf("acme's own: %v", rows)
	}
	if rows := do(t, tx, "SELECT * FROM ledger_release('acme', 'vpc', 'vpc-1')"); len(rows) > 0 {
		t.Errorf("released of globex's: %v", rows)
	}
	_ = tx.Rollback(t.Context())
	for _, statement := range []string{"SELECT * FROM ledger", "INSERT INTO ledger VALUES ('vpc', 'vpc-1', 'acme', '', false)", "DELETE FROM ledger"} {
		if _, err := try(t, as(t, conn, "acme"), statement); code(err) != denied {
			t.Errorf("%s: %v", statement, err)
		}
		do(t, conn, "ROLLBACK")
	}
	for _, f := range []string{"ledger_claim('globex', 'vpc', 'vpc-9', '', true)", "ledger_release('globex', 'vpc', 'vpc-1')", "ledger_mine('globex')", "ledger_taken('globex', '[]')"} {
		if _, err := try(t, as(t, conn, "acme"), "SELECT * FROM "+f); code(err) != denied || !strings.Contains(err.Error(), "not bound to the org") {
			t.Errorf("in the name of another org: %s: %v", f, err)
		}
		do(t, conn, "ROLLBACK")
	}
}

func TestNoStatementDoesNothingWhereAnotherOrgsRowIsInTheWay(t *testing.T) {
	db := twoOrgs(t)
	tx := as(t, connection(t, db.Service), "acme")
	// It would be taken for an idempotent success.
	if _, err := try(t, tx, "INSERT INTO fences (org, token) VALUES ('globex', 9) ON CONFLICT DO NOTHING"); code(err) != denied {
		t.Errorf("over globex's row: %v", err)
	}
	// In no org's table can two orgs be in each other's way.
	for _, f := range findings(t.Context(), t, superuser(t, db)) {
		t.Error(f)
	}
}

func TestAReferenceCannotLeadToAnotherOrgsRow(t *testing.T) {
	db := pgtest.Database(t)
	do(t, superuser(t, db), "INSERT INTO operations (org, id, kind, state, started) VALUES ('globex', 'op-1', 'onboard', 'failed', '')")
	tx := as(t, connection(t, db.Service), "acme")
	_, err := try(t, tx, "INSERT INTO events (org, operation, seq, version, type, body) VALUES ('acme', 'op-1', 1, 1, 'x', '{}')")
	if code(err) != "23503" || strings.Contains(err.Error(), "globex") {
		t.Errorf("acme's event of globex's operation: %v", err)
	}
	if _, err := try(t, connection(t, db.Superuser), "DELETE FROM operations WHERE org = 'globex'"); err != nil {
		t.Errorf("globex cannot remove its own: %v", err)
	}
}

func TestThereIsNoPartitionThatCouldBeReadByItsOwnName(t *testing.T) {
	conn := superuser(t, pgtest.Database(t))
	if rows := do(t, conn, "SELECT relname FROM pg_class WHERE relispartition OR relkind = 'p'"); len(rows) > 0 {
		t.Errorf("partitions: %v", rows)
	}
}

// The policies are a net under a forgotten WHERE, and not a wall against whoever
// can send SQL: this shows where the wall is not.
func TestWhoeverCanSendSQLCanBeAnyOrg(t *testing.T) {
	db := twoOrgs(t)
	conn := connection(t, db.Service)
	tx := as(t, conn, "acme")
	do(t, tx, "SELECT set_config('app.org', 'globex', true)")
	if rows := do(t, tx, "SELECT org FROM fences"); fmt.Sprint(rows) != "[[globex]]" {
		t.Errorf("the decision record says otherwise: %v", rows)
	}
	do(t, tx, "SELECT set_config('role', 'freehold_fleet', true)")
	if rows := do(t, tx, "SELECT org FROM fences"); len(rows) != 2 {
		t.Errorf("the decision record says otherwise: %v", rows)
	}
	_ = tx.Rollback(t.Context())

	// That there are others, though not who: globex's row was second.
	tx = as(t, conn, "globex")
	rows := do(t, tx, "SELECT ctid::text, pg_relation_size('fences') > 0 FROM fences")
	if fmt.Sprint(rows) != "[[(0,2) true]]" {
		t.Errorf("the decision record says otherwise: %v", rows)
	}
	plan := fmt.Sprint(do(t, tx, "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT * FROM fences WHERE token > 0"))
	if strings.Contains(plan, "acme") {
		t.Errorf("a plan names another org: %s", plan)
	}
	// What others' sessions run is not seen, though all have the same login.
	do(t, connection(t, db.Service), "SELECT 'of acme'")
	if rows := do(t, tx, "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND query <> '<insufficient privilege>'"); len(rows) > 0 {
		t.Errorf("acme's session shows what others run: %v", rows)
	}
}

func TestAViewRunsWithTheRightsOfWhoAsks(t *testing.T) {
	db := twoOrgs(t)
	// There is none so far. This is what one would have to be, and that it works.
	do(t, superuser(t, db), "CREATE VIEW tokens WITH (security_invoker = true) AS SELECT org, token FROM fences")
	do(t, superuser(t, db), "GRANT SELECT ON tokens TO freehold_org")
	if rows := do(t, as(t, connection(t, db.Service), "acme"), "SELECT org FROM tokens"); fmt.Sprint(rows) != "[[acme]]" {
		t.Errorf("acme sees %v", rows)
	}
}

func TestAFilterThatMayLeakRunsAfterThePolicyAndTheOrgIsFirstInTheIndex(t *testing.T) {
	db := pgtest.Database(t)
	admin := superuser(t, db)
	do(t, admin, `INSERT INTO drift_reports (org, id, at, drifted, complete, body)
		SELECT 'org-' || o, 'r' || i, 't' || i, false, true, '{}' FROM generate_series(1, 50) o, generate_series(1, 100) i`)
	do(t, admin, "ANALYZE drift_reports")
	tx := as(t, connection(t, db.Service), "org-7")
	var byOrg, byLike bool
	plan := do(t, tx, "EXPLAIN (COSTS off) SELECT * FROM drift_reports WHERE id LIKE 'r7%' AND org = 'org-7'")
	for _, row := range plan {
		line := strings.TrimSpace(row[0].(string))
		byOrg = byOrg || strings.HasPrefix(line, "Index Cond:") && strings.Contains(line, "org = ")
		byLike = byLike || strings.HasPrefix(line, "Filter:") && strings.Contains(line, "~~ 'r7%'")
	}
	if !byOrg || !byLike {
		t.Errorf("the org is not what the index is asked for, or LIKE is:\n%v", plan)
	}
	// A function of the attacker's sees each row that it is asked about. Here it
	// divides by zero on any row but the org's own.
	if _, err := try(t, tx, "SELECT count(*) FROM drift_reports WHERE 1 / (CASE WHEN org = 'org-7' THEN 1 ELSE 0 END) = 1"); err != nil {
		t.Errorf("a filter saw another org's row: %v", err)
	}
}

func TestABackupThatThePoliciesWouldFilterFailsInsteadOfBeingIncomplete(t *testing.T) {
	tx := as(t, connection(t, twoOrgs(t).Service), "acme")
	do(t, tx, "SET LOCAL row_security = off")
	if rows, err := try(t, tx, "SELECT * FROM fences"); code(err) != denied || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("with row_security = off: %v, %v", rows, err)
	}
}

func TestNobodyMayTruncateOrReferToATable(t *testing.T) {
	db := twoOrgs(t)
	for _, table := range slices.Concat(orgTables, fleetTables) {
		conn := connection(t, db.Service)
		if _, err := try(t, as(t, conn, "acme"), "TRUNCATE "+table); code(err) != denied {
			t.Errorf("TRUNCATE %s: %v", table, err)
		}
		_ = conn.Close(t.Context())
	}
	// A table of the attacker's that refers to ours would learn which rows are there.
	tx := as(t, connection(t, db.Service), "acme")
	if _, err := try(t, tx, "CREATE TEMPORARY TABLE mine (org text REFERENCES freehold.fences (org))"); code(err) != denied && code(err) != "42P16" {
		t.Errorf("a reference from a table of its own: %v", err)
	}
}

func TestTheNextCallerOnAConnectionHasNoOrgOfTheLast(t *testing.T) {
	db := twoOrgs(t)
	d, err := postgres.Connect(t.Context(), db.Service+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	var pid, again int64
	who := func(to *int64) func(sqlstore.Tx) error {
		return func(tx sqlstore.Tx) error { return one(t.Context(), tx, "SELECT pg_backend_pid()", to) }
	}
	if err := d.Write(t.Context(), "acme", who(&pid)); err != nil {
		t.Fatal(err)
	}
	var orgs int64
	err = d.Fleet(t.Context(), func(tx sqlstore.Tx) error {
		var org string
		if err := one(t.Context(), tx, "SELECT coalesce(current_setting('app.org', true), '')", &org); err != nil || org != "" {
			t.Errorf("the fleet's transaction has org %q, %v", org, err)
		}
		return one(t.Context(), tx, "SELECT count(*) FROM fences", &orgs)
	})
	if err != nil || orgs != 2 {
		t.Errorf("the fleet sees %d orgs, %v", orgs, err)
	}
	if err := d.Read(t.Context(), "globex", who(&again)); err != nil || again != pid {
		t.Fatalf("the test needs one connection, and has %d and %d: %v", pid, again, err)
	}
	// What an attacker leaves on the connection does not catch the next one's rows.
	for _, statement := range []string{
		"CREATE TEMPORARY TABLE fences (org text, token bigint)", "GRANT ALL ON pg_temp.fences TO PUBLIC", "SET search_path = pg_temp, freehold", "SET app.org = 'acme'",
	} {
		if err := d.Write(t.Context(), "acme", func(tx sqlstore.Tx) error { _, err := tx.Exec(t.Context(), statement); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Write(t.Context(), "hooli", func(tx sqlstore.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO fences (org, token) VALUES ($1, 1)", "hooli")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if rows := do(t, superuser(t, db), "SELECT org FROM freehold.fences WHERE org = 'hooli'"); len(rows) != 1 {
		t.Error("the row of the next org went into the table that another left behind")
	}
	// Nothing is left of any of them, on the same connection.
	if rows := do(t, superuser(t, db), "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid); rows[0][0] != int64(1) {
		t.Fatal("the connection is gone")
	}
	if err := d.Read(t.Context(), "initech", func(tx sqlstore.Tx) error {
		return one(t.Context(), tx, "SELECT count(*) FROM fences", &orgs)
	}); err != nil || orgs != 0 {
		t.Errorf("an org without rows sees %d, %v", orgs, err)
	}
}

func TestWhatRunsWithAnothersRightsIsAListedSet(t *testing.T) {
	conn := superuser(t, pgtest.Database(t))
	rows := do(t, conn, `SELECT proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE prosecdef AND nspname NOT LIKE 'pg\_%' ORDER BY 1`)
	want := "[[ledger_claim] [ledger_mine] [ledger_release] [ledger_taken] " +
		"[slots_free] [slots_mine] [slots_pace] [slots_renew] [slots_seen] [slots_set_pace] [slots_take]]"
	if got := fmt.Sprint(rows); got != want {
		t.Errorf("functions that run as their owner: %s", got)
	}
	// A caller's own search path, and a table of the same name in it, change nothing.
	tx := as(t, connection(t, twoOrgs(t).Service), "acme")
	do(t, tx, "CREATE TEMPORARY TABLE ledger (kind text, value text, org text, claimed text, made boolean)")
	do(t, tx, "INSERT INTO pg_temp.ledger VALUES ('vpc', 'vpc-1', 'acme', '', true)")
	do(t, tx, "SET LOCAL search_path = pg_temp, freehold")
	if rows := do(t, tx, "SELECT * FROM freehold.ledger_mine('acme')"); len(rows) > 0 {
		t.Errorf("the function read the caller's table: %v", rows)
	}
}

// one reads one value by a driver's transaction.
func one(ctx context.Context, tx sqlstore.Tx, statement string, to any, args ...any) error {
	rows, err := tx.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	if !rows.Next() {
		return errors.Join(pgx.ErrNoRows, rows.Err(), rows.Close())
	}
	return errors.Join(rows.Scan(to), rows.Close())
}
