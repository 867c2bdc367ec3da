-- +goose Up
-- When a pending operation is worth asking for again, and what it waits for.
ALTER TABLE operations ADD COLUMN retry_at TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN reason TEXT NOT NULL DEFAULT '';

CREATE TABLE steps (
  org       TEXT NOT NULL CHECK (org <> ''),
  operation TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  name      TEXT NOT NULL,
  layer     TEXT NOT NULL DEFAULT '',
  attempt   INTEGER NOT NULL DEFAULT 1,
  state     TEXT NOT NULL,
  started   TEXT NOT NULL,
  finished  TEXT NOT NULL DEFAULT '',
  deadline  TEXT NOT NULL DEFAULT '',
  error     TEXT NOT NULL DEFAULT '',
  holder    TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (org, operation, seq),
  FOREIGN KEY (org, operation) REFERENCES operations (org, id)
) STRICT;
CREATE INDEX steps_by_layer ON steps (org, layer, started);

-- What all orgs together do at once: a slot that nobody has, has no org.
CREATE TABLE slots (
  kind      TEXT NOT NULL,
  slot      INTEGER NOT NULL,
  org       TEXT NOT NULL,
  operation TEXT NOT NULL,
  taken     INTEGER NOT NULL,
  renewals  INTEGER NOT NULL,
  ttl       INTEGER NOT NULL,
  PRIMARY KEY (kind, slot)
) STRICT;
CREATE INDEX slots_by_org ON slots (org);

-- How fast: when the pace of a kind is used up to.
CREATE TABLE paces (
  kind TEXT NOT NULL PRIMARY KEY,
  used TEXT NOT NULL
) STRICT;
