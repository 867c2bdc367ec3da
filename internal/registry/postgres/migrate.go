package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to date, as the owner, whom the URL names: a login
// that may create roles, and create in the database. Migrations only go forward.
// Of two at once, one waits for the other. It returns the version from which and
// to which it went.
func Migrate(ctx context.Context, url string, o ...Option) (from, to int64, err error) {
	c, err := parse(ctx, url, o)
	if err != nil {
		return 0, 0, fmt.Errorf("migrate the registry: %w", err)
	}
	// A change of a large table takes as long as it takes.
	c.pool.ConnConfig.RuntimeParams["statement_timeout"] = "0"
	db := stdlib.OpenDB(*c.pool.ConnConfig, stdlib.OptionBeforeConnect(c.pool.BeforeConnect))
	defer func() { err = errors.Join(err, db.Close()) }()
	if from, to, err = migrate(ctx, db); err != nil {
		return from, to, fmt.Errorf("migrate the registry %s: %w", c.where(), err)
	}
	return from, to, nil
}

func migrate(ctx context.Context, db *sql.DB) (from, to int64, err error) {
	// It is asked for once a second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return 0, 0, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, 0, err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return 0, 0, err
	}
	if err := prepare(ctx, db); err != nil {
		return 0, 0, err
	}
	if from, err = p.GetDBVersion(ctx); err != nil {
		return 0, 0, err
	}
	if newest := newest(p); from > newest {
		return from, from, newer(from, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return from, from, err
	}
	to, err = p.GetDBVersion(ctx)
	return from, to, err
}

func newest(p *goose.Provider) int64 {
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}

func newer(at, newest int64) error {
	return fmt.Errorf("its schema has version %d, and %d is the latest that this freehold supports: use the newer freehold that upgraded it", at, newest)
}

// prepare makes what goose itself needs, and the roles, which belong to the
// whole server and so may be there already.
func prepare(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		c := driver.(*stdlib.Conn).Conn()
		if err := roles(ctx, c); err != nil {
			return err
		}
		var there bool
		if err := c.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", schema).Scan(&there); err != nil || there {
			return err
		}
		_, err := c.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema)
		if is(err, uniqueViolation) {
			return nil // another migration made it in this moment
		}
		return err
	})
}

// supported is the version of the schema that this freehold was written for.
func supported() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(files[len(files)-1])
}

// errTake is wrapped when a login may not take the role that it is a member of.
var errTake = errors.New("the login may not take its role: as the owner, run GRANT " + orgRole + ", " + fleetRole + " TO <login> WITH SET TRUE")

// version is the schema's, 0 if there is none. It reads as an org's role does,
// which has no org.
func version(ctx context.Context, conn *pgx.Conn) (at int64, err error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback(ctx))
		}
	}()
	for _, role := range []string{fleetRole, orgRole} {
		if _, err := tx.Exec(ctx, "SELECT set_config('role', $1, true)", role); err != nil {
			return 0, fmt.Errorf("%w: %w", errTake, err)
		}
	}
	if err := tx.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+schema+".goose_db_version WHERE is_applied").Scan(&at); err != nil {
		return 0, err
	}
	return at, tx.Commit(ctx)
}
