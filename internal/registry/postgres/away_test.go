package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

func TestADatabaseThatIsAwayIsNoAnswerAndComesBack(t *testing.T) {
	db, server := pgtest.Database(t), pgtest.Start(t)
	s, err := postgres.Open(t.Context(), db.Service, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	read := func(ctx context.Context) error {
		_, err := s.Org(orgcontexttest.For("acme")).Org(ctx)
		return err
	}
	for _, how := range []pgtest.Stop{pgtest.Fast, pgtest.Immediate} {
		if err := read(t.Context()); !errors.Is(err, registry.ErrUnknownOrg) || errors.Is(err, registry.ErrUnavailable) {
			t.Fatalf("before %s: %v", how, err)
		}
		if err := server.Stop(how); err != nil {
			t.Fatal(err)
		}
		// The first finds a connection that was good, the second none.
		for range 2 {
			if err := read(t.Context()); !errors.Is(err, registry.ErrUnavailable) || errors.Is(err, registry.ErrUnknownOrg) {
				t.Errorf("after %s: %v, want that the registry does not answer", how, err)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := read(gone); !errors.Is(err, context.Canceled) || errors.Is(err, registry.ErrUnavailable) {
			t.Errorf("a caller that gave up: %v", err)
		}
		if err := server.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	if err := read(t.Context()); !errors.Is(err, registry.ErrUnknownOrg) {
		t.Errorf("the database is there again: %v", err)
	}
}
