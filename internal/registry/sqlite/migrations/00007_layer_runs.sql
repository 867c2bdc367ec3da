-- +goose Up
-- How long each run of a layer took, for the forecast of the next: in which
-- cloud, and what the run did.
CREATE TABLE layer_runs (
  org       TEXT NOT NULL CHECK (org <> ''),
  operation TEXT NOT NULL,
  layer     TEXT NOT NULL,
  cloud     TEXT NOT NULL,
  kind      TEXT NOT NULL,
  duration  INTEGER NOT NULL,
  finished  TEXT NOT NULL,
  PRIMARY KEY (org, operation, layer),
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
) STRICT;
