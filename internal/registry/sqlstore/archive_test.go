package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/registry/sqlstore"
)

// momentary are tables of what is under way, which ends with those that do it:
// whoever takes over takes a place of its own.
var momentary = []string{"slots", "paces"}

func TestAnArchiveHasEveryColumnOfEveryTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	s, err := sqlite.Open(t.Context(), file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	schema := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		schema[table] = append(schema[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	archive := sqlstore.ArchiveColumns()
	for _, table := range momentary {
		if schema[table] == nil {
			t.Errorf("the schema has no table %s", table)
		}
		delete(schema, table)
	}
	for table, columns := range schema {
		for _, c := range columns {
			if !slices.Contains(archive[table], c) {
				t.Errorf("an archive has no column %s of table %s", c, table)
			}
		}
	}
	for table, columns := range archive {
		for _, c := range columns {
			if !slices.Contains(schema[table], c) {
				t.Errorf("the schema has no column %s of table %s", c, table)
			}
		}
	}
}
