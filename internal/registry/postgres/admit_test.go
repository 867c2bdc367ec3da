package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

func TestALoginThatThePoliciesDoNotBindIsRefused(t *testing.T) {
	db := pgtest.Database(t)
	s, admin := pgtest.Start(t), superuser(t, db)
	for i, c := range []struct{ attributes, then, want string }{
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet TO %s", ""},
		{"NOINHERIT", "CREATE ROLE %s_any; GRANT freehold_org, freehold_fleet, %s_any TO %s", ""},
		{"NOINHERIT", "", "is not a member of freehold_org and freehold_fleet: as the owner, run GRANT freehold_org, freehold_fleet TO"},
		{"NOINHERIT", "GRANT freehold_org TO %s", "is not a member of freehold_fleet: as the owner, run GRANT freehold_fleet TO"},
		{"SUPERUSER", "", "is a superuser, whom no policy binds: the service connects as a login of its own"},
		{"BYPASSRLS", "", "has BYPASSRLS, so no policy binds it: run ALTER ROLE"},
		{"CREATEROLE", "", "has CREATEROLE and could take any role"},
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet TO %s; ALTER TABLE steps OWNER TO %s", "owns table steps, and an owner can change the policies"},
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet, " + pgtest.OwnerLogin + " TO %s", "is a member of freehold_ledger, " + pgtest.OwnerLogin + ", which the policies do not bind to one org"},
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet, freehold_ledger TO %s", "is a member of freehold_ledger"},
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet, pg_read_all_data TO %s", "is a member of pg_read_all_data"},
		{"INHERIT", "GRANT freehold_org, freehold_fleet TO %s", "may use audit_log, data_planes, drift_reports and "},
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet TO %s; GRANT SELECT (org) ON fences TO %s", "may use fences without taking a role"},
		{"NOINHERIT", "CREATE ROLE %s_reads; GRANT SELECT ON fences TO %s_reads; GRANT freehold_org, freehold_fleet, %s_reads TO %s", "_reads, which the policies do not bind"},
		{"NOINHERIT", "GRANT freehold_org, freehold_fleet TO %s WITH INHERIT FALSE, SET FALSE", "WITH SET TRUE"},
	} {
		if strings.Contains(c.then, "SET FALSE") && do(t, admin, "SELECT current_setting('server_version_num')::int < 160000")[0][0].(bool) {
			continue // a membership has had options since PostgreSQL 16
		}
		name := fmt.Sprintf("login_%d", i)
		statements := []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'secret-word' " + c.attributes}
		if c.then != "" {
			statements = append(statements, strings.Split(strings.ReplaceAll(c.then, "%s", name), "; ")...)
		}
		for _, statement := range statements {
			do(t, admin, statement)
		}
		d, err := postgres.Connect(t.Context(), s.URL(name, "secret-word", db.Name))
		if err == nil {
			_ = d.Close()
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s %s: %v", c.attributes, c.then, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %s\ngot      %v\nexpected %s", c.attributes, c.then, err, c.want)
		}
		do(t, admin, "ALTER TABLE steps OWNER TO "+pgtest.OwnerLogin)
		for _, role := range []string{name, name + "_any", name + "_reads"} {
			if len(do(t, admin, "SELECT 1 FROM pg_roles WHERE rolname = $1", role)) > 0 {
				do(t, admin, "DROP OWNED BY "+role)
				do(t, admin, "DROP ROLE "+role)
			}
		}
	}
}

func TestASchemaThatIsNotThisFreeholdsIsRefusedWithWhatToDo(t *testing.T) {
	empty := pgtest.Empty(t)
	if _, err := postgres.Open(t.Context(), empty.Service, time.Now); err == nil || !strings.Contains(err.Error(), "it has no registry yet: run freehold registry migrate as the owner") {
		t.Errorf("an empty database: %v", err)
	}
	db := pgtest.Database(t)
	admin := superuser(t, db)
	for statement, want := range map[string]string{
		"DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)": "and this freehold needs",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, true)":                    "its schema has version 999999, and",
	} {
		do(t, admin, statement)
		_, err := postgres.Open(t.Context(), db.Service, time.Now)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("after %s: %v", statement, err)
		}
		if strings.HasPrefix(statement, "INSERT") {
			if _, _, err := postgres.Migrate(t.Context(), db.Owner); err == nil || !strings.Contains(err.Error(), "use the newer freehold that upgraded it") {
				t.Errorf("migrating it: %v", err)
			}
			do(t, admin, "DELETE FROM goose_db_version WHERE version_id = 999999")
		} else {
			do(t, admin, "INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version")
		}
	}
	if d, err := postgres.Connect(t.Context(), db.Service); err != nil {
		t.Errorf("put right again: %v", err)
	} else {
		_ = d.Close()
	}
}

func TestAMigrationMayBeRepeatedAndTwoAtOnceWaitForEachOther(t *testing.T) {
	db := pgtest.Empty(t)
	type result struct {
		from, to int64
		err      error
	}
	const at = 3
	results := make(chan result, at)
	for range at {
		go func() {
			from, to, err := postgres.Migrate(context.WithoutCancel(t.Context()), db.Owner)
			results <- result{from, to, err}
		}()
	}
	var to int64
	for range at {
		r := <-results
		if r.err != nil || r.to == 0 {
			t.Errorf("%+v", r)
		}
		to = r.to
	}
	if from, again, err := postgres.Migrate(t.Context(), db.Owner); err != nil || from != to || again != to {
		t.Errorf("again: from %d to %d, %v; expected %d", from, again, err, to)
	}
	for _, f := range findings(t.Context(), t, superuser(t, db)) {
		t.Error(f)
	}
	if _, _, err := postgres.Migrate(t.Context(), db.Service); err == nil {
		t.Error("the service may migrate")
	}
}

// The roles are the whole server's: another database, or somebody by hand, may
// have made them before.
func TestARoleThatCouldDoMoreThanItIsMeantToStopsAMigration(t *testing.T) {
	conn := superuser(t, pgtest.Database(t))
	for statement, want := range map[string]string{
		"ALTER ROLE freehold_org LOGIN":                             "role freehold_org has LOGIN, and everything granted to it would go further than the org: let an administrator run: ALTER ROLE freehold_org NOLOGIN",
		"ALTER ROLE freehold_fleet SUPERUSER BYPASSRLS":             "role freehold_fleet has SUPERUSER, BYPASSRLS",
		"ALTER ROLE freehold_ledger CREATEROLE":                     "ALTER ROLE freehold_ledger NOCREATEROLE",
		"GRANT pg_read_all_stats TO freehold_org":                   "role freehold_org is a member of pg_read_all_stats, and must be a member of none: let an administrator run: REVOKE pg_read_all_stats FROM freehold_org",
		"GRANT freehold_ledger, pg_read_all_data TO freehold_fleet": "role freehold_fleet is a member of freehold_ledger, pg_read_all_data",
		"SELECT 1": "",
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		do(t, tx, statement)
		err = postgres.Roles(t.Context(), tx.Conn())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\ngot      %v\nexpected %s", statement, err, want)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnOwnerThatMayNotCreateRolesIsToldWhichToAskFor(t *testing.T) {
	db := pgtest.Database(t)
	conn := superuser(t, db)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	// What the server has is dropped for this transaction only.
	do(t, tx, "DROP OWNED BY freehold_org")
	do(t, tx, "ALTER ROLE freehold_org RENAME TO renamed")
	do(t, tx, "CREATE ROLE poor NOLOGIN")
	do(t, tx, "SET LOCAL ROLE poor")
	err = postgres.Roles(t.Context(), tx.Conn())
	if err == nil || !strings.Contains(err.Error(), "role freehold_org does not exist and this login may not create roles: let an administrator run: CREATE ROLE freehold_org NOLOGIN NOINHERIT") {
		t.Errorf("got %v", err)
	}
}
