package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrInvalidURL is wrapped when what names the database is at fault, and not the database.
var ErrInvalidURL = errors.New("invalid URL of a PostgreSQL registry")

// Option changes how the database is connected to.
type Option func(*config)

// WithTokens takes the password from a source, before each new connection,
// instead of from the URL.
func WithTokens(source TokenSource) Option { return func(c *config) { c.tokens = source } }

type config struct {
	pool   *pgxpool.Config
	tokens TokenSource
}

// where names the database without how one gets in.
func (c *config) where() string {
	p := c.pool.ConnConfig
	return p.User + "@" + net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port))) + "/" + p.Database
}

// parameters are what a URL may have after "?". Others would be sent to the
// server as settings of the session, and "role" is one of them.
var parameters = []string{
	"auth", "region", // ours
	"user", "password", "passfile", "host", "port", "dbname", "connect_timeout", "target_session_attrs", "application_name",
	"sslmode", "sslkey", "sslcert", "sslrootcert", "sslpassword", "sslsni", "sslnegotiation", "channel_binding", "require_auth",
	"default_query_exec_mode", "statement_cache_capacity", "pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time",
}

// searchPath has temporary tables last: they outlive their transaction, and would
// otherwise stand in for ours in the next one on the same connection.
const searchPath = schema + ", pg_temp"

// limits are settings of each session. A client that was stopped in the middle of
// a transaction holds its org for five seconds more, and no longer; who waits for
// that waits longer than this.
var limits = map[string]string{
	"idle_in_transaction_session_timeout": "5s",
	"lock_timeout":                        "15s",
	"statement_timeout":                   "30s",
	"search_path":                         searchPath,
	// Each statement finds rows by a key, whatever the key is: one plan serves all
	// values, and policies are planned once, too.
	"plan_cache_mode": "force_generic_plan",
	// A dump or a query that the policies would filter unseen is for nobody here.
	"row_security": "on",
}

// parse reads a URL such as postgres://user:password@host:5432/database?sslmode=verify-full.
// An error does not quote it: in one that cannot be read, nobody knows where the
// password is.
func parse(ctx context.Context, text string, options []Option) (*config, error) {
	scheme, _, ok := strings.Cut(text, "://")
	if !ok || scheme != "postgres" && scheme != "postgresql" {
		return nil, fmt.Errorf("%w: it must begin with postgres://", ErrInvalidURL)
	}
	base, query, _ := strings.Cut(text, "?")
	// A plus is a plus to libpq, and a space to net/url.
	values, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
	if err != nil {
		return nil, fmt.Errorf("%w: what follows the ? cannot be read", ErrInvalidURL)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(parameters, name) {
			return nil, fmt.Errorf("%w: it has an unknown parameter %q; known are %s", ErrInvalidURL, name, strings.Join(parameters, ", "))
		}
	}
	auth, region := values.Get("auth"), values.Get("region")
	values.Del("auth")
	values.Del("region")
	if auth != "" && auth != "iam" {
		return nil, fmt.Errorf("%w: auth=%s is not known, only auth=iam is", ErrInvalidURL, auth)
	}
	if auth == "iam" && !values.Has("sslmode") {
		values.Set("sslmode", "verify-full")
	}
	pool, err := pgxpool.ParseConfig(base + "?" + strings.ReplaceAll(values.Encode(), "+", "%20"))
	if err != nil {
		if file, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, fmt.Errorf("%w: %w", ErrInvalidURL, file)
		}
		return nil, fmt.Errorf("%w: it cannot be read; it must look like postgres://user:password@host:5432/database?sslmode=verify-full, "+
			"with any of :/?#[]@%% in the password written as %%3A, %%2F and so on", ErrInvalidURL)
	}
	c := &config{pool: pool}
	for _, o := range options {
		o(c)
	}
	if auth == "iam" {
		if err := c.useIAM(ctx, region, values.Get("sslmode")); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalidURL, err)
		}
	}
	if c.tokens != nil {
		pool.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) (err error) {
			conn.Password, err = c.tokens(ctx)
			return err
		}
	} else {
		pool.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { return nil }
	}
	// What the environment says of a session, as PGOPTIONS does, is not for ours.
	name := pool.ConnConfig.RuntimeParams["application_name"]
	if name == "" {
		name = "freehold"
	}
	pool.ConnConfig.RuntimeParams = maps.Clone(limits)
	pool.ConnConfig.RuntimeParams["application_name"] = name
	return c, nil
}
