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

// upgrade brings the file up to date. Migrations only go forward.
func upgrade(ctx context.Context, db *sql.DB, file string) (err error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	// Most commands find the file up to date, and neither wait nor write.
	if at := version(ctx, db); at == newest {
		return nil
	} else if at > newest {
		return fmt.Errorf("its version %d is newer than %d, the latest that this freehold supports: use the newer freehold that upgraded it", at, newest)
	}
	lock := flock.New(file+".migrate.lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	_, err = p.Up(ctx)
	return err
}

// version is the newest migration that the file has had; 0: none that can be
// read, which is for goose to look into under the lock.
func version(ctx context.Context, db *sql.DB) (v int64) {
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied = 1`).Scan(&v); err != nil {
		return 0
	}
	return v
}
