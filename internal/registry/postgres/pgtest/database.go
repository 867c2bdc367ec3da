package pgtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"freehold.dev/freehold/internal/registry/postgres"
)

// The logins of every database: the owner, who migrates it, and the service.
const (
	OwnerLogin   = "registry_owner"
	ServiceLogin = "registry_service"
)

const template = "registry_template"

// DB is a database of a test's own, which has been migrated.
type DB struct {
	Name string
	// Owner, Service and Superuser are URLs of it, each for another login.
	Owner, Service, Superuser string
}

// Database makes a database that goes away with the test.
func Database(t testing.TB) DB {
	t.Helper()
	s := Start(t)
	if err := migrated(s); err != nil {
		t.Fatal(err)
	}
	return s.clone(t, " TEMPLATE "+template)
}

// Empty makes a database that nobody has migrated.
func Empty(t testing.TB) DB {
	t.Helper()
	s := Start(t)
	if err := logins(s); err != nil {
		t.Fatal(err)
	}
	return s.clone(t, "")
}

var databases atomic.Int64

func (s *Server) clone(t testing.TB, from string) DB {
	t.Helper()
	name := fmt.Sprintf("registry_%d", databases.Add(1))
	// With few changes since the last checkpoint, copying files is the fastest.
	if from != "" {
		from += " STRATEGY file_copy"
	}
	if err := s.Do(t.Context(), "CREATE DATABASE "+name+" OWNER "+OwnerLogin+from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Do(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return DB{
		Name: name, Owner: s.URL(OwnerLogin, s.password, name), Service: s.URL(ServiceLogin, s.password, name), Superuser: s.Superuser(name),
	}
}

// Do runs statements as the superuser, one by one.
func (s *Server) Do(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.Superuser("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Of several tests that begin at once, one does what is done once, and the
// others wait for it. It must not end with the test that does it.
var (
	logins = memo(func(ctx context.Context, s *Server) error {
		return s.Do(ctx,
			"CREATE ROLE "+OwnerLogin+" LOGIN CREATEROLE PASSWORD '"+s.password+"'",
			"CREATE ROLE "+ServiceLogin+" LOGIN NOINHERIT PASSWORD '"+s.password+"'",
		)
	})
	migrated = memo(func(ctx context.Context, s *Server) error {
		if err := logins(s); err != nil {
			return err
		}
		if err := s.Do(ctx, "CREATE DATABASE "+template+" OWNER "+OwnerLogin); err != nil {
			return err
		}
		if _, _, err := postgres.Migrate(ctx, s.URL(OwnerLogin, s.password, template)); err != nil {
			return err
		}
		return s.Do(ctx, "GRANT freehold_org, freehold_fleet TO "+ServiceLogin)
	})
)

func memo(do func(context.Context, *Server) error) func(*Server) error {
	var once sync.Once
	var err error
	return func(s *Server) error {
		once.Do(func() { err = do(context.Background(), s) })
		return err
	}
}
