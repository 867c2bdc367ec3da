-- +goose Up
-- What a request asked for, so that the same request is the same operation, and
-- that somebody asked an operation to stop.
ALTER TABLE operations ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN document TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN cancelled TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX operations_by_request ON operations (org, request) WHERE request <> '';

-- A lease is taken over as it was seen: each renewal makes it another one.
ALTER TABLE leases ADD COLUMN renewals INTEGER NOT NULL DEFAULT 0;

-- An event belongs to an operation of its own org.
ALTER TABLE events RENAME TO events_without_reference;
DROP INDEX events_one_terminal;
CREATE TABLE events (
  org       TEXT NOT NULL CHECK (org <> ''),
  operation TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  type      TEXT NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (org, operation, seq),
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
) STRICT;
INSERT INTO events SELECT org, operation, seq, version, type, body FROM events_without_reference;
DROP TABLE events_without_reference;
CREATE UNIQUE INDEX events_one_terminal ON events (org, operation)
  WHERE type IN ('operation.succeeded', 'operation.failed', 'operation.blocked', 'operation.pending');

CREATE TABLE data_planes (
  org     TEXT NOT NULL PRIMARY KEY CHECK (org <> '') REFERENCES orgs (org),
  facts   TEXT NOT NULL,
  updated TEXT NOT NULL
) STRICT;

CREATE TABLE projects (
  org     TEXT NOT NULL CHECK (org <> '') REFERENCES orgs (org),
  project TEXT NOT NULL,
  body    TEXT NOT NULL,
  PRIMARY KEY (org, project)
) STRICT;

CREATE TABLE exceptions (
  org      TEXT NOT NULL CHECK (org <> '') REFERENCES orgs (org),
  rule     TEXT NOT NULL,
  resource TEXT NOT NULL,
  reason   TEXT NOT NULL,
  approver TEXT NOT NULL,
  expires  TEXT NOT NULL,
  PRIMARY KEY (org, rule, resource)
) STRICT;

CREATE TABLE drift_reports (
  org      TEXT NOT NULL CHECK (org <> ''),
  id       TEXT NOT NULL,
  at       TEXT NOT NULL,
  drifted  INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;
CREATE INDEX drift_reports_by_time ON drift_reports (org, at);

-- Who did what. Nothing is ever changed here, by nobody.
CREATE TABLE audit_log (
  org      TEXT NOT NULL CHECK (org <> ''),
  seq      INTEGER NOT NULL,
  at       TEXT NOT NULL,
  actor    TEXT NOT NULL,
  request  TEXT NOT NULL,
  what     TEXT NOT NULL,
  result   TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash     TEXT NOT NULL,
  PRIMARY KEY (org, seq)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_is_not_cut BEFORE DELETE ON audit_log
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd
-- A replacement deletes without a trigger of its own.
-- +goose StatementBegin
CREATE TRIGGER audit_log_is_not_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log a WHERE a.org = NEW.org AND a.seq = NEW.seq)
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd

-- Who read over all orgs.
CREATE TABLE fleet_audit_log (
  seq      INTEGER NOT NULL PRIMARY KEY,
  at       TEXT NOT NULL,
  actor    TEXT NOT NULL,
  request  TEXT NOT NULL,
  what     TEXT NOT NULL,
  result   TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash     TEXT NOT NULL
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER fleet_audit_log_is_not_changed BEFORE UPDATE ON fleet_audit_log
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER fleet_audit_log_is_not_cut BEFORE DELETE ON fleet_audit_log
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER fleet_audit_log_is_not_replaced BEFORE INSERT ON fleet_audit_log
WHEN EXISTS (SELECT 1 FROM fleet_audit_log a WHERE a.seq = NEW.seq)
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd

-- Where an org's events are sent. A secret is named, and is not here.
CREATE TABLE endpoints (
  org      TEXT NOT NULL CHECK (org <> ''),
  name     TEXT NOT NULL,
  url      TEXT NOT NULL,
  secret   TEXT NOT NULL,
  types    TEXT NOT NULL,
  created  TEXT NOT NULL,
  disabled TEXT NOT NULL DEFAULT '',
  claimed  TEXT NOT NULL DEFAULT '',
  claimer  TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (org, name)
) STRICT;

CREATE TABLE outbox (
  org       TEXT NOT NULL CHECK (org <> ''),
  endpoint  TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  id        TEXT NOT NULL,
  operation TEXT NOT NULL,
  event_seq INTEGER NOT NULL,
  body      TEXT NOT NULL,
  state     TEXT NOT NULL,
  attempts  INTEGER NOT NULL DEFAULT 0,
  next_try  TEXT NOT NULL,
  error     TEXT NOT NULL DEFAULT '',
  created   TEXT NOT NULL,
  PRIMARY KEY (org, endpoint, seq),
  FOREIGN KEY (org, endpoint) REFERENCES endpoints (org, name)
) STRICT;
