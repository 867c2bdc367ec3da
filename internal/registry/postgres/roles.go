package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What the server says of some errors:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	uniqueViolation = "23505"
	duplicateObject = "42710"
	internalError   = "XX000" // also "tuple concurrently updated", of two grants at once
	undefinedTable  = "42P01"
	refused         = "42501"
	lockTimeout     = "55P03"
)

// is reports whether the server gave one of these codes.
func is(err error, codes ...string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, e.Code)
}

// roles makes the roles that are missing, and refuses one that could do more
// than it is meant to. The owner becomes a member of the ledger's role, to be
// able to give it the ledger.
func roles(ctx context.Context, conn *pgx.Conn) error {
	for _, role := range []string{orgRole, fleetRole, ledgerRole} {
		if err := checkRole(ctx, conn, role); !errors.Is(err, pgx.ErrNoRows) {
			if err != nil {
				return err
			}
			continue
		}
		_, err := conn.Exec(ctx, "CREATE ROLE "+role+" NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT")
		switch {
		case is(err, refused):
			return fmt.Errorf("role %s does not exist and this login may not create roles: "+
				"let an administrator run: CREATE ROLE %s NOLOGIN NOINHERIT: %w", role, role, err)
		case is(err, uniqueViolation, duplicateObject):
			// Another database of the same server is migrated in this moment.
			if err := checkRole(ctx, conn, role); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}
	var member bool
	if err := conn.QueryRow(ctx, "SELECT pg_has_role($1, 'USAGE')", ledgerRole).Scan(&member); err != nil || member {
		return err
	}
	for {
		_, err := conn.Exec(ctx, "GRANT "+ledgerRole+" TO CURRENT_USER")
		if is(err, internalError) && strings.Contains(err.Error(), "concurrently updated") {
			continue
		}
		if err != nil {
			return fmt.Errorf("role %s exists and this login may not take it: let the administrator who created it run: GRANT %s TO <this login>: %w",
				ledgerRole, ledgerRole, err)
		}
		return nil
	}
}

// checkRole refuses a role that has more than was granted to it by a migration.
// Without the role it is pgx.ErrNoRows.
func checkRole(ctx context.Context, conn *pgx.Conn, role string) error {
	var login, super, bypass, createdb, createrole, replication bool
	var in []string
	err := conn.QueryRow(ctx, `SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication,
		(SELECT coalesce(array_agg(b.rolname::text ORDER BY b.rolname), '{}') FROM pg_auth_members m JOIN pg_roles b ON b.oid = m.roleid WHERE m.member = r.oid)
		FROM pg_roles r WHERE rolname = $1`, role).Scan(&login, &super, &bypass, &createdb, &createrole, &replication, &in)
	if err != nil {
		return fmt.Errorf("look up role %s: %w", role, err)
	}
	var wrong, fix []string
	for _, a := range []struct {
		has  bool
		name string
	}{
		{login, "LOGIN"}, {super, "SUPERUSER"}, {bypass, "BYPASSRLS"}, {createdb, "CREATEDB"}, {createrole, "CREATEROLE"}, {replication, "REPLICATION"},
	} {
		if a.has {
			wrong, fix = append(wrong, a.name), append(fix, "NO"+a.name)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("role %s has %s, and everything granted to it would go further than the org: let an administrator run: ALTER ROLE %s %s",
			role, strings.Join(wrong, ", "), role, strings.Join(fix, " "))
	}
	if len(in) > 0 {
		return fmt.Errorf("role %s is a member of %s, and must be a member of none: let an administrator run: REVOKE %s FROM %s",
			role, strings.Join(in, ", "), strings.Join(in, ", "), role)
	}
	return nil
}
