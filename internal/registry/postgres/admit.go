package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// login is what the server knows of who connected.
type login struct {
	name                      string
	super, bypass, createRole bool
	owns                      []string // tables, functions and the schema itself
	has                       []string // tables that it may use without taking a role
	roles                     []string // that it may take
	beyond                    []string // of roles, those that let it get around the policies
}

// loginQuery looks at everything that the login could become.
const loginQuery = `WITH RECURSIVE
	me AS (SELECT * FROM pg_roles WHERE rolname = session_user),
	may AS (
		SELECT m.roleid AS oid FROM pg_auth_members m JOIN me ON m.member = me.oid
		UNION SELECT m.roleid FROM pg_auth_members m JOIN may ON m.member = may.oid
	),
	ours AS (SELECT c.oid, c.relname, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
	owned AS (
		SELECT relowner AS owner, 'table ' || relname AS what FROM ours
		UNION ALL SELECT nspowner, 'schema ' || nspname FROM pg_namespace WHERE nspname = $1
		UNION ALL SELECT p.proowner, 'function ' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1
		UNION ALL SELECT datdba, 'database ' || datname FROM pg_database WHERE datname = current_database()
	)
	SELECT me.rolname::text, me.rolsuper, me.rolbypassrls, me.rolcreaterole,
		ARRAY(SELECT what FROM owned WHERE owner = me.oid ORDER BY what),
		ARRAY(SELECT relname::text FROM ours WHERE has_table_privilege(me.oid, ours.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
			OR has_any_column_privilege(me.oid, ours.oid, 'SELECT, INSERT, UPDATE, REFERENCES') ORDER BY relname),
		ARRAY(SELECT rolname::text FROM may JOIN pg_roles r ON r.oid = may.oid ORDER BY rolname),
		ARRAY(SELECT rolname::text FROM may JOIN pg_roles r ON r.oid = may.oid WHERE rolname NOT IN ($2, $3)
			AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolname LIKE 'pg\_%' OR r.oid IN (SELECT owner FROM owned)
				OR EXISTS (SELECT 1 FROM ours WHERE has_table_privilege(r.oid, ours.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')))
			ORDER BY rolname)
	FROM me`

// admit refuses a login that row-level security does not bind, or that could
// make itself such a one, and a schema that is not the one this freehold knows.
func admit(ctx context.Context, conn *pgx.Conn) error {
	var l login
	err := conn.QueryRow(ctx, loginQuery, schema, orgRole, fleetRole).
		Scan(&l.name, &l.super, &l.bypass, &l.createRole, &l.owns, &l.has, &l.roles, &l.beyond)
	if err != nil {
		return fmt.Errorf("look at what the login may do: %w", err)
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", schema).Scan(&there); err != nil {
		return fmt.Errorf("look for the schema: %w", err)
	}
	if err := l.check(there); err != nil {
		return err
	}
	return current(ctx, conn)
}

// check refuses the login, or does not. Without a schema nobody could be a
// member of its roles yet, and that there is none is said first.
func (l login) check(schemaThere bool) error {
	const instead = "the service connects as a login of its own, which owns nothing: " +
		"CREATE ROLE <name> LOGIN NOINHERIT; GRANT " + orgRole + ", " + fleetRole + " TO <name>"
	missing := slices.DeleteFunc([]string{orgRole, fleetRole}, func(r string) bool { return slices.Contains(l.roles, r) })
	switch {
	case l.super:
		return fmt.Errorf("login %s is a superuser, whom no policy binds: %s", l.name, instead)
	case l.bypass:
		return fmt.Errorf("login %s has BYPASSRLS, so no policy binds it: run ALTER ROLE %s NOBYPASSRLS", l.name, l.name)
	case len(l.owns) > 0:
		return fmt.Errorf("login %s owns %s, and an owner can change the policies: %s", l.name, some(l.owns), instead)
	case l.createRole:
		return fmt.Errorf("login %s has CREATEROLE and could take any role: run ALTER ROLE %s NOCREATEROLE", l.name, l.name)
	case !schemaThere:
		return fmt.Errorf("it has no registry yet: run freehold registry migrate as the owner")
	case len(l.beyond) > 0:
		return fmt.Errorf("login %s is a member of %s, which the policies do not bind to one org: run REVOKE %s FROM %s",
			l.name, some(l.beyond), strings.Join(l.beyond, ", "), l.name)
	case len(missing) > 0:
		return fmt.Errorf("login %s is not a member of %s: as the owner, run GRANT %s TO %s",
			l.name, strings.Join(missing, " and "), strings.Join(missing, ", "), l.name)
	case len(l.has) > 0:
		return fmt.Errorf("login %s may use %s without taking a role, so a forgotten org would not be refused: "+
			"run ALTER ROLE %s NOINHERIT, grant the two roles again, and revoke what was granted to the login itself", l.name, some(l.has), l.name)
	}
	return nil
}

// some names a few of many.
func some(all []string) string {
	const few = 3
	if len(all) <= few {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
}

// current refuses a schema that is older or newer than this freehold.
func current(ctx context.Context, conn *pgx.Conn) error {
	want, err := supported()
	if err != nil {
		return err
	}
	at, err := version(ctx, conn)
	switch {
	case errors.Is(err, errTake):
		return err
	case is(err, undefinedTable, refused):
		at = 0 // the first migration has not ended
	case err != nil:
		return fmt.Errorf("read the schema's version: %w", err)
	}
	switch {
	case at < want:
		return fmt.Errorf("its schema has version %d, and this freehold needs %d: run freehold registry migrate as the owner", at, want)
	case at > want:
		return newer(at, want)
	}
	return nil
}
