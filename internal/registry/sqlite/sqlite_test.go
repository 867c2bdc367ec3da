package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"freehold.dev/freehold/internal/registry/registrytest"
	"freehold.dev/freehold/internal/registry/sqlite"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	registrytest.Exercise(t, func(t *testing.T, now func() time.Time) func(t *testing.T) registrytest.Store {
		file := filepath.Join(t.TempDir(), "registry.db")
		return func(t *testing.T) registrytest.Store { return open(t, file, now) }
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
