package postgres

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5"
)

// Database gives tests the transactions that the store is made of.
type Database = database

// LockTimeout is how long a transaction waits for a lock.
func LockTimeout(d string) Option {
	return func(c *config) {
		before := c.pool.AfterConnect
		c.pool.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SELECT set_config('lock_timeout', $1, false)", d)
			if before != nil {
				err = errors.Join(err, before(ctx, conn))
			}
			return err
		}
	}
}

// Connect is Open without the store around it.
func Connect(ctx context.Context, url string, o ...Option) (*Database, error) {
	return connect(ctx, url, o)
}

// Roles is what a migration does about the server's roles.
func Roles(ctx context.Context, conn *pgx.Conn) error { return roles(ctx, conn) }

// Token is an IAM authentication token.
func Token(ctx context.Context, cfg aws.Config, endpoint, user string) (string, error) {
	return token(ctx, cfg, endpoint, user)
}

// Parse reports what is wrong with a URL, and otherwise the session's settings
// and whether passwords come from a source.
func Parse(ctx context.Context, url string) (settings map[string]string, tokens bool, err error) {
	c, err := parse(ctx, url, nil)
	if err != nil {
		return nil, false, err
	}
	return c.pool.ConnConfig.RuntimeParams, c.tokens != nil, nil
}

// RegionOf is the region in the name of an RDS endpoint.
var RegionOf = regionOf
