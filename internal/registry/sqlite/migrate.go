package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate makes the registry's file, or brings it up to date, as Open does. It
// returns the version from which and to which it went.
func Migrate(ctx context.Context, file string) (from, to int64, err error) {
	db, err := connect(file)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if from, to, err = upgrade(ctx, db, file); err != nil {
		return from, to, fmt.Errorf("upgrade the registry %s: %w", file, err)
	}
	return from, to, nil
}

// upgrade brings the file up to date. Migrations only go forward.
func upgrade(ctx context.Context, db *sql.DB, file string) (from, to int64, err error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, 0, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err != nil {
		return 0, 0, err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	// Most commands find the file up to date, and neither wait nor write.
	at := version(ctx, db)
	switch {
	case at == newest:
		return at, at, nil
	case at > newest:
		return at, at, fmt.Errorf("its version %d is newer than %d, the latest that this freehold supports: use the newer freehold that upgraded it", at, newest)
	}
	lock := flock.New(file+".migrate.lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return at, at, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if _, err = p.Up(ctx); err != nil {
		return at, at, err
	}
	return at, newest, nil
}

// version is the newest migration that the file has had; 0: none that can be
// read, which is for goose to look into under the lock.
func version(ctx context.Context, db *sql.DB) (v int64) {
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied = 1`).Scan(&v); err != nil {
		return 0
	}
	return v
}
