package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/registry/sqlstore"
)

// onServer reports whether the registry is in a PostgreSQL database.
func onServer(o cli.Options) bool {
	return strings.HasPrefix(o.Registry, "postgres://") || strings.HasPrefix(o.Registry, "postgresql://")
}

// registryFile is where a registry in a file is kept: in the home, unless
// --registry names another place.
func registryFile(o cli.Options) string {
	if o.Registry == "" {
		return filepath.Join(o.Home, o.Cloud, "registry.db")
	}
	return strings.TrimPrefix(o.Registry, "sqlite://")
}

func openRegistry(ctx context.Context, o cli.Options) (registry.Store, error) {
	if onServer(o) {
		s, err := postgres.Open(ctx, o.Registry, time.Now)
		if errors.Is(err, postgres.ErrInvalidURL) {
			err = &lifecycle.Error{Err: fmt.Errorf("%w: %w", lifecycle.ErrInvalid, err), Next: "freehold registry --help shows what a --registry looks like"}
		}
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	return sqlite.Open(ctx, registryFile(o), time.Now)
}

// recorded reports whether there is a registry: one in a file is made by whoever
// opens it.
func recorded(o cli.Options) (bool, error) {
	if onServer(o) {
		return true, nil
	}
	_, err := os.Stat(registryFile(o))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// registryAdmin keeps the registry that the options name.
type registryAdmin struct{ o cli.Options }

// Migrate brings the schema up to date.
func (a registryAdmin) Migrate(ctx context.Context) (event.Migration, error) {
	if onServer(a.o) {
		from, to, err := postgres.Migrate(ctx, a.o.Registry)
		return event.Migration{From: from, To: to}, err
	}
	from, to, err := sqlite.Migrate(ctx, registryFile(a.o))
	return event.Migration{From: from, To: to}, err
}

// Export writes all that the registry holds.
func (a registryAdmin) Export(ctx context.Context, w io.Writer) (out event.Archive, err error) {
	there, err := recorded(a.o)
	if err == nil && !there {
		err = &fs.PathError{Op: "export the registry", Path: registryFile(a.o), Err: fs.ErrNotExist}
	}
	if err != nil {
		return out, err
	}
	return with(ctx, a.o, func(s registry.Store) (event.Archive, error) { return s.Export(ctx, w) })
}

// Import fills the registry, which is empty.
func (a registryAdmin) Import(ctx context.Context, r io.Reader) (event.Archive, error) {
	out, err := with(ctx, a.o, func(s registry.Store) (event.Archive, error) { return s.Import(ctx, r) })
	switch {
	case errors.Is(err, registry.ErrArchive):
		err = &lifecycle.Error{Err: fmt.Errorf("%w: %w", lifecycle.ErrInvalid, err), Next: "export it again; nothing was imported"}
	case errors.Is(err, registry.ErrNotEmpty):
		err = &lifecycle.Error{
			Err: fmt.Errorf("%w: %w", lifecycle.ErrInvalid, err), Next: "import into a registry that was migrated and never used; nothing was imported",
		}
	}
	return out, err
}

// Check reads an archive, and writes nothing.
func (registryAdmin) Check(r io.Reader) (event.Archive, error) { return sqlstore.CheckArchive(r) }

// with opens the registry for one call.
func with[T any](ctx context.Context, o cli.Options, do func(registry.Store) (T, error)) (out T, err error) {
	s, err := openRegistry(ctx, o)
	if err != nil {
		return out, err
	}
	out, err = do(s)
	return out, errors.Join(err, s.Close())
}
