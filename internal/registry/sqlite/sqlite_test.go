package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/registrytest"
	"freehold.dev/freehold/internal/registry/sqlite"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	registrytest.Exercise(t, func(t *testing.T, now func() time.Time) func(t *testing.T) registry.Store {
		file := filepath.Join(t.TempDir(), "registry.db")
		return func(t *testing.T) registry.Store { return open(t, file, now) }
	})
}

func open(t *testing.T, file string, now func() time.Time) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// of is the registry as an org has it.
func of(s registry.Store, org string) registry.OrgStore { return s.Org(orgcontexttest.For(org)) }

// all reads over all orgs.
func all(s registry.Store) registry.FleetStore { return s.Fleet(orgcontexttest.Fleet()) }
