package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
)

// fleetTables are not of one org. Every other table is.
var fleetTables = []string{"ledger", "slots", "paces", "fleet_audit_log", "goose_db_version"}

// misplaced is what of a schema lets the rows of two orgs meet.
func misplaced(t *testing.T, db *sql.DB) []string {
	t.Helper()
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, table := range rows(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`) {
		if slices.Contains(fleetTables, table) {
			continue
		}
		if key := rows(t, db, `SELECT name FROM pragma_table_info($1) WHERE pk = 1`, table); !slices.Equal(key, []string{"org"}) {
			say("the primary key of %s begins with %v", table, key)
		}
		for _, index := range rows(t, db, `SELECT name FROM pragma_index_list($1)`, table) {
			if first := rows(t, db, `SELECT name FROM pragma_index_info($1) WHERE seqno = 0`, index); !slices.Equal(first, []string{"org"}) {
				say("index %s of %s begins with %v", index, table, first)
			}
		}
		for _, id := range rows(t, db, `SELECT DISTINCT id FROM pragma_foreign_key_list($1)`, table) {
			if first := rows(t, db, `SELECT "from" || ' -> ' || "to" FROM pragma_foreign_key_list($1) WHERE CAST(id AS TEXT) = $2 AND seq = 0`, table, id); !slices.Equal(first, []string{"org -> org"}) {
				say("foreign key %s of %s begins with %v", id, table, first)
			}
		}
		if !strings.Contains(strings.Join(rows(t, db, `SELECT sql FROM sqlite_master WHERE name = $1`, table), ""), "STRICT") {
			say("%s takes values of any type", table)
		}
	}
	for _, other := range rows(t, db, `SELECT type || ' ' || name FROM sqlite_master WHERE type NOT IN ('table', 'index')`) {
		if !slices.Contains([]string{
			"trigger audit_log_is_not_changed", "trigger audit_log_is_not_cut", "trigger audit_log_is_not_replaced",
			"trigger fleet_audit_log_is_not_changed", "trigger fleet_audit_log_is_not_cut", "trigger fleet_audit_log_is_not_replaced",
		}, other) {
			say("%s is not known", other)
		}
	}
	return out
}

func rows(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	found, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = found.Close() }()
	var out []string
	for found.Next() {
		var s string
		if err := found.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheOrgComesFirstInEveryKeyAndIndexAndReference(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	open(t, file, time.Now)
	db := raw(t, file)
	if found := misplaced(t, db); len(found) > 0 {
		t.Errorf("%s", strings.Join(found, "\n"))
	}
	for breaks, want := range map[string]string{
		`CREATE TABLE a (id TEXT NOT NULL, org TEXT NOT NULL, PRIMARY KEY (id, org)) STRICT`:                            "the primary key of a begins with [id]",
		`CREATE TABLE b (org TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL UNIQUE) STRICT`:                                 "of b begins with [v]",
		`CREATE INDEX c ON events (type)`:                                                                               "index c of events begins with [type]",
		`CREATE TABLE d (org TEXT NOT NULL, op TEXT NOT NULL REFERENCES operations (id), PRIMARY KEY (org, op)) STRICT`: "of d begins with [op -> id]",
		`CREATE TABLE e (org TEXT NOT NULL PRIMARY KEY)`:                                                                "e takes values of any type",
		`CREATE VIEW f AS SELECT * FROM events`:                                                                         "view f is not known",
		`CREATE TRIGGER g AFTER INSERT ON events BEGIN SELECT 1; END`:                                                   "trigger g is not known",
	} {
		exec(t, db, breaks)
		if found := strings.Join(misplaced(t, db), "\n"); !strings.Contains(found, want) {
			t.Errorf("%s\n\tfound %q, want %q", breaks, found, want)
		}
	}
}

func TestNobodyChangesAnAuditLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, file, time.Now)
	if err := of(s, "acme").PutDrift(t.Context(), event.Drift{Org: "acme", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := all(s).Orgs(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := raw(t, file)
	for _, table := range []string{"audit_log", "fleet_audit_log"} {
		for _, change := range []string{
			`UPDATE ` + table + ` SET actor = 'x'`, `DELETE FROM ` + table, `DELETE FROM ` + table + ` WHERE seq = 1`,
			`REPLACE INTO ` + table + ` SELECT * FROM ` + table, `INSERT OR REPLACE INTO ` + table + ` SELECT * FROM ` + table,
			`UPDATE OR REPLACE ` + table + ` SET seq = 1`,
		} {
			if _, err := db.ExecContext(t.Context(), change); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", change, err)
			}
		}
	}
}
