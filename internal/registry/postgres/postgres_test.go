package postgres_test

import (
	"testing"
	"time"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/registrytest"
)

func TestPostgreSQLKeepsTheContract(t *testing.T) {
	pgtest.Start(t)
	registrytest.Exercise(t, func(t *testing.T, now func() time.Time) func(t *testing.T) registry.Store {
		db := pgtest.Database(t)
		return func(t *testing.T) registry.Store {
			t.Helper()
			s, err := postgres.Open(t.Context(), db.Service+"&pool_max_conns=4", now)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
	})
}
