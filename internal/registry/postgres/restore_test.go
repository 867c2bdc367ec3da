package postgres_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/registrytest"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// drivers make empty registries of each kind.
var drivers = map[string]func(t *testing.T) registry.Store{
	"a file": func(t *testing.T) registry.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
	"a server": func(t *testing.T) registry.Store {
		t.Helper()
		s, err := postgres.Open(t.Context(), pgtest.Database(t).Service, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
}

// This is what docs/deploy/README.md says of a backup and of a restore.
func TestABackupRestoresIntoEitherKindOfRegistry(t *testing.T) {
	pgtest.Start(t)
	for from, source := range drivers {
		t.Run("from "+from, func(t *testing.T) {
			lost := source(t)
			registrytest.Fill(t, lost)
			backup := registrytest.Exported(t, lost)
			for to, target := range drivers {
				t.Run("to "+to, func(t *testing.T) {
					restored := target(t)
					if _, err := restored.Import(t.Context(), bytes.NewReader(backup)); err != nil {
						t.Fatal(err)
					}
					// Before anything is read, which the audit logs hold as well.
					if again := registrytest.Exported(t, restored); !bytes.Equal(again, backup) {
						t.Error("the backup of what was restored is another one")
					}
					kept := target(t)
					if _, err := kept.Import(t.Context(), bytes.NewReader(backup)); err != nil {
						t.Fatal(err)
					}
					registrytest.Restored(t, kept, restored)
				})
			}
		})
	}
}

// The order of an upgrade: the owner migrates while the version before still runs,
// then the next version starts. Each of the two refuses what is not its turn.
func TestAnUpgradeIsMigratedFirstWhileTheVersionBeforeGoesOn(t *testing.T) {
	acme := orgcontexttest.For("acme")
	db := pgtest.Database(t)
	admin := superuser(t, db)
	before, err := postgres.Open(t.Context(), db.Service, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = before.Close() })
	begun, err := before.Org(acme).Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "a process", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}

	// To this version, what the next one migrates is a version that it does not know.
	do(t, admin, "INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version")
	if _, err := before.Org(acme).End(t.Context(), begun.Lease, event.Event{
		Type: event.OperationSucceeded, Time: time.Unix(9, 0).UTC(), Org: "acme", Operation: begun.Lease.Operation, Kind: "onboard",
	}); err != nil {
		t.Errorf("an operation that ran during the migration: %v", err)
	}
	if _, err := postgres.Open(t.Context(), db.Service, time.Now); err == nil || !strings.Contains(err.Error(), "use the newer freehold") {
		t.Errorf("a process of the version before that starts after the migration: %v", err)
	}
}

func TestWhatTheVersionBeforeWroteIsReadAfterTheMigration(t *testing.T) {
	acme := orgcontexttest.For("acme")
	db := pgtest.Empty(t)
	owner := connection(t, db.Owner)
	if err := postgres.Roles(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	do(t, owner, "CREATE SCHEMA freehold")
	conns := stdlib.OpenDB(*owner.Config())
	t.Cleanup(func() { _ = conns.Close() })
	earlier, err := goose.NewProvider(goose.DialectPostgres, conns, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	// What the version before had: all migrations but the last.
	sources := earlier.ListSources()
	newest := sources[len(sources)-1].Version
	if _, err := earlier.UpTo(t.Context(), newest-1); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), db.Service, time.Now); err == nil || !strings.Contains(err.Error(), "run freehold registry migrate as the owner") {
		t.Errorf("the next version before the migration: %v", err)
	}
	do(t, superuser(t, db), `INSERT INTO orgs (org, state, plan, hash, hash_version, updated, management)
		VALUES ('acme', 'ready', '{"org":"acme"}', 'h', 1, '2026-05-01T00:00:00.000000000Z', '111122223333')`)
	if from, to, err := postgres.Migrate(t.Context(), db.Owner); err != nil || from != newest-1 || to != newest {
		t.Fatalf("it went from %d to %d: %v", from, to, err)
	}
	after, err := postgres.Open(t.Context(), db.Service, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = after.Close() })
	org, err := after.Org(acme).Org(t.Context())
	if err != nil || org.State != "ready" || org.Management != "111122223333" {
		t.Errorf("%+v, %v", org, err)
	}
}
