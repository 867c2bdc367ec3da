-- +goose Up
-- The org comes first in every key, index and reference of what belongs to an
-- org: a reference is checked without the policies, and one without the org would
-- lead to another org's row. Text is compared byte by byte, as SQLite does.
CREATE TABLE orgs (
  org          text COLLATE "C" NOT NULL CHECK (org <> '') PRIMARY KEY,
  state        text COLLATE "C" NOT NULL,
  plan         bytea            NOT NULL,
  hash         text COLLATE "C" NOT NULL,
  hash_version bigint           NOT NULL,
  management   text COLLATE "C" NOT NULL DEFAULT '',
  updated      text COLLATE "C" NOT NULL
);

CREATE TABLE data_planes (
  org     text COLLATE "C" NOT NULL CHECK (org <> '') PRIMARY KEY REFERENCES orgs (org),
  facts   text COLLATE "C" NOT NULL,
  updated text COLLATE "C" NOT NULL
);

CREATE TABLE layers (
  org       text COLLATE "C" NOT NULL CHECK (org <> '') REFERENCES orgs (org),
  layer     text COLLATE "C" NOT NULL,
  state     text COLLATE "C" NOT NULL,
  unclean   boolean          NOT NULL DEFAULT false,
  made      boolean          NOT NULL DEFAULT false,
  outputs   bytea,
  resources bigint           NOT NULL DEFAULT 0,
  duration  bigint           NOT NULL DEFAULT 0,
  error     text COLLATE "C" NOT NULL DEFAULT '',
  updated   text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, layer)
);

-- The counter of fencing tokens survives every lease.
CREATE TABLE fences (
  org   text COLLATE "C" NOT NULL CHECK (org <> '') PRIMARY KEY,
  token bigint           NOT NULL
);

CREATE TABLE operations (
  org       text COLLATE "C" NOT NULL CHECK (org <> ''),
  id        text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  state     text COLLATE "C" NOT NULL,
  started   text COLLATE "C" NOT NULL,
  finished  text COLLATE "C" NOT NULL DEFAULT '',
  error     text COLLATE "C" NOT NULL DEFAULT '',
  token     bigint           NOT NULL DEFAULT 0,
  delivered boolean          NOT NULL DEFAULT true,
  request   text COLLATE "C" NOT NULL DEFAULT '',
  document  text COLLATE "C" NOT NULL DEFAULT '',
  retry_at  text COLLATE "C" NOT NULL DEFAULT '',
  cancelled text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (org, id)
);
CREATE UNIQUE INDEX operations_one_running ON operations (org) WHERE state = 'running';
CREATE UNIQUE INDEX operations_by_request ON operations (org, request) WHERE request <> '';

CREATE TABLE leases (
  org       text COLLATE "C" NOT NULL CHECK (org <> '') PRIMARY KEY,
  operation text COLLATE "C" NOT NULL,
  token     bigint           NOT NULL,
  holder    text COLLATE "C" NOT NULL,
  until     text COLLATE "C" NOT NULL,
  renewed   text COLLATE "C" NOT NULL,
  renewals  bigint           NOT NULL DEFAULT 0,
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
);

CREATE TABLE steps (
  org       text COLLATE "C" NOT NULL CHECK (org <> ''),
  operation text COLLATE "C" NOT NULL,
  seq       bigint           NOT NULL,
  name      text COLLATE "C" NOT NULL,
  layer     text COLLATE "C" NOT NULL DEFAULT '',
  attempt   bigint           NOT NULL DEFAULT 1,
  state     text COLLATE "C" NOT NULL,
  started   text COLLATE "C" NOT NULL,
  finished  text COLLATE "C" NOT NULL DEFAULT '',
  deadline  text COLLATE "C" NOT NULL DEFAULT '',
  error     text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (org, operation, seq),
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
);

CREATE TABLE events (
  org       text COLLATE "C" NOT NULL CHECK (org <> ''),
  operation text COLLATE "C" NOT NULL,
  seq       bigint           NOT NULL,
  version   bigint           NOT NULL,
  type      text COLLATE "C" NOT NULL,
  body      text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, operation, seq),
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
);
CREATE UNIQUE INDEX events_one_terminal ON events (org, operation)
  WHERE type IN ('operation.succeeded', 'operation.failed', 'operation.blocked', 'operation.pending');

CREATE TABLE exceptions (
  org      text COLLATE "C" NOT NULL CHECK (org <> '') REFERENCES orgs (org),
  rule     text COLLATE "C" NOT NULL,
  resource text COLLATE "C" NOT NULL,
  reason   text COLLATE "C" NOT NULL,
  approver text COLLATE "C" NOT NULL,
  expires  text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, rule, resource)
);

CREATE TABLE projects (
  org     text COLLATE "C" NOT NULL CHECK (org <> '') REFERENCES orgs (org),
  project text COLLATE "C" NOT NULL,
  body    text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, project)
);

CREATE TABLE drift_reports (
  org      text COLLATE "C" NOT NULL CHECK (org <> ''),
  id       text COLLATE "C" NOT NULL,
  at       text COLLATE "C" NOT NULL,
  drifted  boolean          NOT NULL,
  complete boolean          NOT NULL,
  body     text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, id)
);
CREATE INDEX drift_reports_by_time ON drift_reports (org, at);

CREATE TABLE audit_log (
  org      text COLLATE "C" NOT NULL CHECK (org <> ''),
  seq      bigint           NOT NULL,
  at       text COLLATE "C" NOT NULL,
  actor    text COLLATE "C" NOT NULL,
  request  text COLLATE "C" NOT NULL,
  what     text COLLATE "C" NOT NULL,
  result   text COLLATE "C" NOT NULL,
  previous text COLLATE "C" NOT NULL,
  hash     text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, seq)
);

-- Where an org's events are sent. A secret is named, and is not here.
CREATE TABLE endpoints (
  org      text COLLATE "C" NOT NULL CHECK (org <> ''),
  name     text COLLATE "C" NOT NULL,
  url      text COLLATE "C" NOT NULL,
  secret   text COLLATE "C" NOT NULL,
  types    text COLLATE "C" NOT NULL,
  created  text COLLATE "C" NOT NULL,
  disabled text COLLATE "C" NOT NULL DEFAULT '',
  claimed  text COLLATE "C" NOT NULL DEFAULT '',
  claimer  text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (org, name)
);

CREATE TABLE outbox (
  org       text COLLATE "C" NOT NULL CHECK (org <> ''),
  endpoint  text COLLATE "C" NOT NULL,
  seq       bigint           NOT NULL,
  id        text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  event_seq bigint           NOT NULL,
  body      text COLLATE "C" NOT NULL,
  state     text COLLATE "C" NOT NULL,
  attempts  bigint           NOT NULL DEFAULT 0,
  next_try  text COLLATE "C" NOT NULL,
  error     text COLLATE "C" NOT NULL DEFAULT '',
  created   text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, endpoint, seq),
  FOREIGN KEY (org, endpoint) REFERENCES endpoints (org, name)
);

-- Who owns what, over all orgs: an identity has one owner, ever. A unique key
-- tells whoever may insert that another's row exists, and ON CONFLICT DO NOTHING
-- hides that it was not taken, so no org has any right on this table.
CREATE TABLE ledger (
  kind    text COLLATE "C" NOT NULL,
  value   text COLLATE "C" NOT NULL,
  org     text COLLATE "C" NOT NULL CHECK (org <> ''),
  claimed text COLLATE "C" NOT NULL,
  made    boolean          NOT NULL,
  PRIMARY KEY (kind, value)
);
CREATE INDEX ledger_by_org ON ledger (org);
CREATE INDEX ledger_by_value ON ledger (value);

-- Who read over all orgs.
CREATE TABLE fleet_audit_log (
  seq      bigint           NOT NULL PRIMARY KEY,
  at       text COLLATE "C" NOT NULL,
  actor    text COLLATE "C" NOT NULL,
  request  text COLLATE "C" NOT NULL,
  what     text COLLATE "C" NOT NULL,
  result   text COLLATE "C" NOT NULL,
  previous text COLLATE "C" NOT NULL,
  hash     text COLLATE "C" NOT NULL
);
