package postgres_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

// Every table is in one of the two lists.
var (
	orgTables = []string{
		"orgs", "data_planes", "layers", "fences", "operations", "leases", "steps", "events", "exceptions", "projects",
		"drift_reports", "audit_log", "endpoints", "outbox", "layer_runs",
	}
	fleetTables = []string{"ledger", "slots", "paces", "fleet_audit_log", "goose_db_version"}

	// notTables are relations that are not tables, and why they are there.
	notTables = []string{"goose_db_version_id_seq"} // goose's own numbers

	// withoutOrg are indexes of org tables that do not begin with the org: none so far.
	withoutOrg = []string{}

	// functions are all there are: their arguments, whether they run as their
	// owner, who that is, and who may call them beside the owner.
	functions = []string{
		"refuse_change() invoker registry_owner {}",
		"ledger_org(text) invoker freehold_ledger {}",
		"ledger_claim(text,text,text,text,boolean) definer freehold_ledger {freehold_org}",
		"ledger_release(text,text,text) definer freehold_ledger {freehold_org}",
		"ledger_mine(text) definer freehold_ledger {freehold_org}",
		"ledger_taken(text,text) definer freehold_ledger {freehold_org}",
		"slots_mine(text,text,text) definer freehold_ledger {freehold_org}",
		"slots_seen(text,text,bigint) definer freehold_ledger {freehold_org}",
		"slots_take(text,text,text,bigint,bigint,bigint,bigint) definer freehold_ledger {freehold_org}",
		"slots_renew(text) definer freehold_ledger {freehold_org}",
		"slots_free(text,text,text) definer freehold_ledger {freehold_org}",
		"slots_pace(text,text) definer freehold_ledger {freehold_org}",
		"slots_set_pace(text,text,text,text) definer freehold_ledger {freehold_org}",
	}
	triggers = []string{"append_only on audit_log, always", "append_only on fleet_audit_log, always"}

	// grants are all that anybody but a table's owner may do with it.
	grants = func() []string {
		g := []string{
			"ledger: SELECT to freehold_fleet", "slots: SELECT to freehold_fleet", "paces: SELECT to freehold_fleet",
			"fleet_audit_log: SELECT to freehold_fleet", "fleet_audit_log: INSERT to freehold_fleet",
			"goose_db_version: SELECT to freehold_org",
		}
		for _, table := range orgTables {
			g = append(g, table+": SELECT to freehold_fleet", table+": SELECT to freehold_org", table+": INSERT to freehold_org")
			if table != "audit_log" {
				g = append(g, table+": UPDATE to freehold_org", table+": DELETE to freehold_org")
			}
		}
		return g
	}()
)

// ours are the relations that this database has beside the system's own, in
// whatever schema.
const ours = `WITH ours AS (
	SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
), org_tables AS (SELECT * FROM ours WHERE nspname = 'freehold' AND relname = ANY(@org_tables))
`

// The checks read the catalogue, and return a row for each thing that is wrong.
var checks = map[string]string{
	"every table is an org's or the fleet's": `
		SELECT nspname || '.' || relname || ' is in neither list of tables' FROM ours
		WHERE relkind NOT IN ('i', 'I', 't', 'c') AND NOT (nspname = 'freehold' AND relname = ANY(@org_tables || @fleet_tables || @not_tables))
		UNION ALL SELECT 'there is no table ' || t FROM unnest(@org_tables || @fleet_tables) t WHERE to_regclass('freehold.' || t) IS NULL`,

	"every org's table has its policies enabled and forced": `
		SELECT relname || ' does not ENABLE row-level security' FROM org_tables WHERE NOT relrowsecurity
		UNION ALL SELECT relname || ' does not FORCE row-level security' FROM org_tables WHERE NOT relforcerowsecurity`,

	"every org's table has one policy for an org and one for the fleet": `
		WITH expr AS (SELECT '(org = NULLIF(current_setting(''app.org''::text, true), ''''::text))' AS own), has AS (
			SELECT t.relname, p.polname || ' ' || p.polcmd::text || ' ' || p.polpermissive || ' '
				|| ARRAY(SELECT pg_get_userbyid(r)::text FROM unnest(p.polroles) r ORDER BY 1)::text
				|| ' USING ' || coalesce(pg_get_expr(p.polqual, p.polrelid), 'nothing')
				|| ' WITH CHECK ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'nothing') AS policy
			FROM org_tables t JOIN pg_policy p ON p.polrelid = t.oid
		), should AS (
			SELECT t.relname, 'own_rows * true {freehold_org} USING ' || own || ' WITH CHECK ' || own AS policy FROM org_tables t, expr
			UNION ALL SELECT relname, 'all_rows r true {freehold_fleet} USING true WITH CHECK nothing' FROM org_tables
		)
		SELECT relname || ' lacks the policy ' || policy FROM (SELECT * FROM should EXCEPT SELECT * FROM has) a
		UNION ALL SELECT relname || ' has another policy: ' || policy FROM (SELECT * FROM has EXCEPT SELECT * FROM should) b
		UNION ALL SELECT o.relname || ' is the fleet''s and has a policy' FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
			WHERE o.oid NOT IN (SELECT oid FROM org_tables)`,

	"every key and index of an org's table begins with the org": `
		SELECT c.relname || ' on ' || t.relname || ' does not begin with org' FROM org_tables t
		JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
		LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
		WHERE a.attname IS DISTINCT FROM 'org' AND NOT c.relname = ANY(@without_org)
		UNION ALL SELECT relname || ' has no primary key' FROM org_tables t
			WHERE NOT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = t.oid AND indisprimary)
		UNION ALL SELECT conname || ' on ' || t.relname || ' excludes rows, and is no index that is known here' FROM org_tables t
			JOIN pg_constraint c ON c.conrelid = t.oid WHERE contype = 'x'`,

	"every reference of an org's table leads by the org to an org's table": `
		SELECT conname || ' of ' || t.relname || ' does not lead from org to org' FROM ours t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype = 'f'
		LEFT JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		LEFT JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
		WHERE a.attname <> 'org' OR b.attname <> 'org' OR t.oid NOT IN (SELECT oid FROM org_tables) OR c.confrelid NOT IN (SELECT oid FROM org_tables)`,

	"no row of an org's table can be without an org": `
		SELECT relname || ' has no CHECK (org <> '''')' FROM org_tables t WHERE NOT EXISTS (
			SELECT 1 FROM pg_constraint c WHERE c.conrelid = t.oid AND contype = 'c' AND convalidated AND pg_get_constraintdef(c.oid) = 'CHECK ((org <> ''''::text))')
		UNION ALL SELECT relname || '.org may be NULL or is no text' FROM org_tables t LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND attname = 'org'
			WHERE a.attnotnull IS NOT TRUE OR a.atttypid <> 'text'::regtype`,

	"all text is compared byte by byte": `
		SELECT relname || '.' || attname || ' has another collation than "C"' FROM ours t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
		WHERE t.relkind = 'r' AND t.relname <> 'goose_db_version' AND NOT a.attisdropped AND a.attcollation <> 0 AND a.attcollation <> '"C"'::regcollation`,

	"there are no partitions, no materialized views, and no view that runs as its owner": `
		SELECT relname || ' is partitioned, and a partition has no policies of its own' FROM ours WHERE relkind IN ('p', 'I') OR relispartition
		UNION ALL SELECT inhrelid::regclass || ' inherits, and its policies are not its parent''s' FROM pg_inherits
		UNION ALL SELECT relname || ' is a materialized view, which has no policies' FROM ours WHERE relkind = 'm'
		UNION ALL SELECT relname || ' is a view without security_invoker' FROM ours WHERE relkind = 'v' AND NOT coalesce(reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
		UNION ALL SELECT relname || ' is on another server' FROM ours WHERE relkind = 'f'`,

	"all functions are known, and have a fixed search path": `
		WITH has AS (
			SELECT p.oid::regprocedure::text AS name, p.proname || '(' || replace(array_to_string(ARRAY(SELECT format_type(a, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(a, i) ORDER BY i), ','), ', ', ',') || ') '
				|| CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END || ' ' || pg_get_userbyid(proowner) || ' '
				|| ARRAY(SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee <> proowner ORDER BY 1)::text AS said
			FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
		)
		SELECT 'function ' || said || ' is not in the list' FROM has WHERE NOT said = ANY(@functions)
		UNION ALL SELECT 'there is no function ' || f FROM unnest(@functions) f WHERE f NOT IN (SELECT said FROM has)
		UNION ALL SELECT 'function ' || proname || ' has the search path ' || coalesce(proconfig::text, 'of whoever calls it') FROM pg_proc p
			JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'freehold' AND proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp']`,

	"all triggers are known, and there are no rules": `
		WITH has AS (
			SELECT tgname || ' on ' || t.relname || CASE tgenabled WHEN 'A' THEN ', always' ELSE ', sometimes' END AS said FROM ours t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT tgisinternal
		)
		SELECT 'trigger ' || said || ' is not in the list' FROM has WHERE NOT said = ANY(@triggers)
		UNION ALL SELECT 'there is no trigger ' || f FROM unnest(@triggers) f WHERE f NOT IN (SELECT said FROM has)
		UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
		UNION ALL SELECT 'rule ' || r.rulename || ' on ' || t.relname FROM ours t JOIN pg_rewrite r ON r.ev_class = t.oid WHERE t.relkind <> 'v'`,

	"the roles can do no more than was granted to them": `
		SELECT 'role ' || rolname || ' has an attribute that it must not have' FROM pg_roles WHERE rolname IN ('freehold_org', 'freehold_fleet', 'freehold_ledger')
			AND (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
		UNION ALL SELECT 'login ' || rolname || ' has an attribute that it must not have' FROM pg_roles WHERE rolname = @service
			AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit)
		UNION ALL SELECT pg_get_userbyid(member) || ' is a member of ' || pg_get_userbyid(roleid) FROM pg_auth_members
			WHERE pg_get_userbyid(member) IN ('freehold_org', 'freehold_fleet', 'freehold_ledger', @service)
			AND NOT (pg_get_userbyid(member) = @service AND pg_get_userbyid(roleid) IN ('freehold_org', 'freehold_fleet'))
		UNION ALL SELECT pg_get_userbyid(relowner) || ' owns ' || relname FROM ours
			WHERE pg_get_userbyid(relowner) IN ('freehold_org', 'freehold_fleet', @service) OR pg_get_userbyid(relowner) = 'freehold_ledger' AND relname NOT LIKE 'ledger%' AND relname NOT IN ('slots', 'paces', 'slots_by_org') AND relkind <> 't' AND relkind <> 'i'
		UNION ALL SELECT pg_get_userbyid(nspowner) || ' owns schema ' || nspname FROM pg_namespace
			WHERE pg_get_userbyid(nspowner) IN ('freehold_org', 'freehold_fleet', 'freehold_ledger', @service)`,

	"everybody has the listed rights and no others": `
		WITH acl AS (
			SELECT t.relname, relowner, a.* FROM ours t, aclexplode(t.relacl) a
			UNION ALL SELECT t.relname || '.' || attname, relowner, a.* FROM ours t JOIN pg_attribute c ON c.attrelid = t.oid, aclexplode(c.attacl) a
		), has AS (
			SELECT relname || ': ' || privilege_type || ' to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END
				|| CASE WHEN is_grantable THEN ' with GRANT OPTION' ELSE '' END AS said FROM acl WHERE grantee <> relowner
		)
		SELECT said || ' is not in the list' FROM has WHERE NOT said = ANY(@grants)
		UNION ALL SELECT g || ' was not granted' FROM unnest(@grants) g WHERE g NOT IN (SELECT said FROM has)
		UNION ALL SELECT 'schema ' || nspname || ': ' || privilege_type || ' to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END
			FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'freehold' AND grantee <> nspowner AND NOT (grantee = 0 AND privilege_type = 'USAGE' AND NOT is_grantable)
		UNION ALL SELECT 'privileges are granted by default to what ' || pg_get_userbyid(defaclrole) || ' creates' FROM pg_default_acl`,

	"nothing sends rows elsewhere": `
		SELECT 'publication ' || pubname || ' sends rows without policies' FROM pg_publication
		UNION ALL SELECT 'server ' || srvname FROM pg_foreign_server`,
}

// findings are what is wrong with a database.
func findings(ctx context.Context, t *testing.T, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
},
) []string {
	t.Helper()
	args := pgx.NamedArgs{
		"org_tables": orgTables, "fleet_tables": fleetTables, "not_tables": notTables, "without_org": withoutOrg,
		"functions": functions, "triggers": triggers, "grants": grants, "service": pgtest.ServiceLogin,
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		rows, err := q.Query(ctx, ours+"SELECT * FROM ("+checks[name]+") AS findings", args)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, found...)
	}
	return all
}

func TestTheSchemaKeepsEveryRowToItsOrg(t *testing.T) {
	for _, f := range findings(t.Context(), t, superuser(t, pgtest.Database(t))) {
		t.Error(f)
	}
}

// Each break is undone: what is done to a schema or a role is a transaction too.
func TestTheCatalogueTestFindsWhatItLooksFor(t *testing.T) {
	conn := superuser(t, pgtest.Database(t))
	for _, c := range []struct{ statement, finding string }{
		{"CREATE TABLE notes (org text)", "freehold.notes is in neither list of tables"},
		{"CREATE TABLE public.notes (org text)", "public.notes is in neither list of tables"},
		{"CREATE SEQUENCE numbers", "freehold.numbers is in neither list of tables"},
		{"DROP TABLE steps", "there is no table steps"},
		{"ALTER TABLE steps DISABLE ROW LEVEL SECURITY", "steps does not ENABLE row-level security"},
		{"ALTER TABLE steps NO FORCE ROW LEVEL SECURITY", "steps does not FORCE row-level security"},
		{"DROP POLICY own_rows ON steps", "steps lacks the policy own_rows * true {freehold_org} USING (org = NULLIF(current_setting('app.org'::text, true), ''::text)) WITH CHECK (org = NULLIF(current_setting('app.org'::text, true), ''::text))"},
		{"ALTER POLICY own_rows ON steps USING (true)", "steps has another policy: own_rows * true {freehold_org} USING true WITH CHECK (org = NULLIF(current_setting('app.org'::text, true), ''::text))"},
		{"ALTER POLICY own_rows ON steps WITH CHECK (true)", "steps has another policy: own_rows * true {freehold_org} USING (org = NULLIF(current_setting('app.org'::text, true), ''::text)) WITH CHECK true"},
		{"ALTER POLICY own_rows ON steps TO PUBLIC", "steps has another policy: own_rows * true {\"unknown (OID=0)\"} USING (org = NULLIF(current_setting('app.org'::text, true), ''::text)) WITH CHECK (org = NULLIF(current_setting('app.org'::text, true), ''::text))"},
		{"CREATE POLICY more ON steps USING (true)", "steps has another policy: more * true {\"unknown (OID=0)\"} USING true WITH CHECK nothing"},
		{"CREATE POLICY more ON ledger USING (true)", "ledger is the fleet's and has a policy"},
		{"CREATE INDEX by_name ON steps (name, org)", "by_name on steps does not begin with org"},
		{"CREATE INDEX by_name ON steps (lower(org))", "by_name on steps does not begin with org"},
		{"ALTER TABLE steps ADD UNIQUE (name)", "steps_name_key on steps does not begin with org"},
		{"ALTER TABLE steps DROP CONSTRAINT steps_pkey", "steps has no primary key"},
		{"ALTER TABLE steps ADD CONSTRAINT apart EXCLUDE (name WITH =)", "apart on steps excludes rows, and is no index that is known here"},
		{"ALTER TABLE steps ADD other text UNIQUE, ADD FOREIGN KEY (name, org) REFERENCES operations (org, id)", "steps_name_org_fkey of steps does not lead from org to org"},
		{"ALTER TABLE fleet_audit_log ADD FOREIGN KEY (actor) REFERENCES orgs (org)", "fleet_audit_log_actor_fkey of fleet_audit_log does not lead from org to org"},
		{"ALTER TABLE steps DROP CONSTRAINT steps_org_check", "steps has no CHECK (org <> '')"},
		{"ALTER TABLE steps DROP CONSTRAINT steps_pkey, ALTER org DROP NOT NULL", "steps.org may be NULL or is no text"},
		{`ALTER TABLE steps ALTER name TYPE text COLLATE "POSIX"`, `steps.name has another collation than "C"`},
		{"CREATE TABLE parts (org text) PARTITION BY LIST (org)", "parts is partitioned, and a partition has no policies of its own"},
		{"CREATE TABLE child () INHERITS (steps)", "child inherits, and its policies are not its parent's"},
		{"CREATE MATERIALIZED VIEW seen AS SELECT * FROM steps", "seen is a materialized view, which has no policies"},
		{"CREATE VIEW seen AS SELECT * FROM steps", "seen is a view without security_invoker"},
		{"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS ''", "function f() invoker postgres {PUBLIC} is not in the list"},
		{"CREATE FUNCTION public.f(text) RETURNS void LANGUAGE sql SECURITY DEFINER AS ''", "function f(text) definer postgres {PUBLIC} is not in the list"},
		{"DROP FUNCTION ledger_taken(text, text)", "there is no function ledger_taken(text,text) definer freehold_ledger {freehold_org}"},
		{"GRANT EXECUTE ON FUNCTION ledger_mine(text) TO PUBLIC", "function ledger_mine(text) definer freehold_ledger {PUBLIC,freehold_org} is not in the list"},
		{"ALTER FUNCTION ledger_mine(text) RESET ALL", "function ledger_mine has the search path of whoever calls it"},
		{"ALTER FUNCTION ledger_mine(text) SET search_path = freehold", "function ledger_mine has the search path {search_path=freehold}"},
		{"DROP TRIGGER append_only ON audit_log", "there is no trigger append_only on audit_log, always"},
		{"ALTER TABLE audit_log ENABLE TRIGGER append_only", "trigger append_only on audit_log, sometimes is not in the list"},
		{"CREATE TRIGGER other BEFORE INSERT ON steps EXECUTE FUNCTION refuse_change()", "trigger other on steps, sometimes is not in the list"},
		{"CREATE RULE quiet AS ON INSERT TO steps DO INSTEAD NOTHING", "rule quiet on steps"},
		{"ALTER ROLE freehold_org LOGIN", "role freehold_org has an attribute that it must not have"},
		{"ALTER ROLE freehold_fleet BYPASSRLS", "role freehold_fleet has an attribute that it must not have"},
		{"ALTER ROLE registry_service SUPERUSER", "login registry_service has an attribute that it must not have"},
		{"ALTER ROLE registry_service INHERIT", "login registry_service has an attribute that it must not have"},
		{"GRANT pg_read_all_data TO freehold_org", "freehold_org is a member of pg_read_all_data"},
		{"GRANT freehold_ledger TO registry_service", "registry_service is a member of freehold_ledger"},
		{"ALTER TABLE steps OWNER TO registry_service", "registry_service owns steps"},
		{"ALTER TABLE steps OWNER TO freehold_org", "freehold_org owns steps"},
		{"ALTER SCHEMA freehold OWNER TO freehold_ledger", "freehold_ledger owns schema freehold"},
		{"GRANT TRUNCATE ON steps TO freehold_org", "steps: TRUNCATE to freehold_org is not in the list"},
		{"GRANT REFERENCES ON steps TO freehold_org", "steps: REFERENCES to freehold_org is not in the list"},
		{"GRANT TRIGGER ON steps TO freehold_org", "steps: TRIGGER to freehold_org is not in the list"},
		{"GRANT UPDATE ON audit_log TO freehold_org", "audit_log: UPDATE to freehold_org is not in the list"},
		{"GRANT SELECT ON ledger TO freehold_org", "ledger: SELECT to freehold_org is not in the list"},
		{"GRANT SELECT (kind) ON ledger TO freehold_org", "ledger.kind: SELECT to freehold_org is not in the list"},
		{"GRANT SELECT ON steps TO PUBLIC", "steps: SELECT to PUBLIC is not in the list"},
		{"GRANT SELECT ON steps TO freehold_fleet WITH GRANT OPTION", "steps: SELECT to freehold_fleet with GRANT OPTION is not in the list"},
		{"REVOKE DELETE ON steps FROM freehold_org", "steps: DELETE to freehold_org was not granted"},
		{"GRANT CREATE ON SCHEMA freehold TO freehold_org", "schema freehold: CREATE to freehold_org"},
		{"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "privileges are granted by default to what postgres creates"},
		{"CREATE PUBLICATION everything FOR ALL TABLES", "publication everything sends rows without policies"},
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), c.statement); err != nil {
			t.Errorf("%s: %v", c.statement, err)
		} else if found := findings(t.Context(), t, tx); !slices.Contains(found, c.finding) {
			t.Errorf("%s\nfound    %q\nexpected %q", c.statement, found, c.finding)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
