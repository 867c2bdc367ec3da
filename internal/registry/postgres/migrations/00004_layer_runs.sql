-- +goose Up
-- How long each run of a layer took, for the forecast of the next: in which
-- cloud, and what the run did. The fleet reads all of them at once, so that no
-- index without the org is needed.
CREATE TABLE layer_runs (
  org       text COLLATE "C" NOT NULL CHECK (org <> ''),
  operation text COLLATE "C" NOT NULL,
  layer     text COLLATE "C" NOT NULL,
  cloud     text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  duration  bigint           NOT NULL,
  finished  text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, operation, layer),
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
);
ALTER TABLE layer_runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON layer_runs TO freehold_org
  USING (org = nullif(current_setting('app.org', true), ''))
  WITH CHECK (org = nullif(current_setting('app.org', true), ''));
CREATE POLICY all_rows ON layer_runs FOR SELECT TO freehold_fleet USING (true);
GRANT SELECT ON layer_runs TO freehold_fleet;
GRANT SELECT, INSERT, UPDATE, DELETE ON layer_runs TO freehold_org;
