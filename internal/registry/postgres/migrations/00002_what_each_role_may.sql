-- +goose Up
-- A statement is parsed before the role is set that runs it, as both are sent at
-- once. Without USAGE it would look for its tables in vain. That shows names,
-- which everybody reads in the catalogue, and no row.
GRANT USAGE ON SCHEMA freehold TO PUBLIC;

-- FORCE binds the tables' owner as well. The setting is NULL until it was set for
-- the first time, and '' after a transaction that set it: both are no org's.
-- +goose StatementBegin
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['orgs', 'data_planes', 'layers', 'fences', 'operations', 'leases', 'steps', 'events',
    'exceptions', 'projects', 'drift_reports', 'audit_log', 'endpoints', 'outbox']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_rows ON %I TO freehold_org
      USING (org = nullif(current_setting(''app.org'', true), ''''))
      WITH CHECK (org = nullif(current_setting(''app.org'', true), ''''))', t);
    EXECUTE format('CREATE POLICY all_rows ON %I FOR SELECT TO freehold_fleet USING (true)', t);
    EXECUTE format('GRANT SELECT ON %I TO freehold_fleet', t);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO freehold_org', t);
    IF t <> 'audit_log' THEN
      EXECUTE format('GRANT UPDATE, DELETE ON %I TO freehold_org', t);
    END IF;
  END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT ON ledger TO freehold_fleet;
GRANT SELECT, INSERT ON fleet_audit_log TO freehold_fleet;
-- Whether the schema is the one that a freehold was written for.
GRANT SELECT ON goose_db_version TO freehold_org;

-- The logs are only added to, whoever asks, also the owner. The triggers run once
-- a statement, so that one that finds no row is refused as well.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege', TABLE = TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION refuse_change() FROM PUBLIC;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fleet_audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Replication skips triggers that are not ALWAYS.
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE fleet_audit_log ENABLE ALWAYS TRIGGER append_only;
