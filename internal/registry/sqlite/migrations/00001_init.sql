-- +goose Up
-- The org comes first in every primary key, so that a query without it cannot
-- be written by accident.
CREATE TABLE orgs (
  org          TEXT NOT NULL PRIMARY KEY,
  state        TEXT NOT NULL,
  plan         BLOB NOT NULL,
  hash         TEXT NOT NULL,
  hash_version INTEGER NOT NULL,
  updated      TEXT NOT NULL
) STRICT;

CREATE TABLE layers (
  org       TEXT NOT NULL REFERENCES orgs (org),
  layer     TEXT NOT NULL,
  state     TEXT NOT NULL,
  outputs   BLOB,
  resources INTEGER NOT NULL DEFAULT 0,
  duration  INTEGER NOT NULL DEFAULT 0,
  error     TEXT NOT NULL DEFAULT '',
  updated   TEXT NOT NULL,
  PRIMARY KEY (org, layer)
) STRICT;

CREATE TABLE operations (
  org      TEXT NOT NULL,
  id       TEXT NOT NULL,
  kind     TEXT NOT NULL,
  state    TEXT NOT NULL,
  started  TEXT NOT NULL,
  finished TEXT NOT NULL DEFAULT '',
  error    TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (org, id)
) STRICT;

-- An identity has one owner, ever: also after its org is gone.
CREATE TABLE ledger (
  org     TEXT NOT NULL,
  kind    TEXT NOT NULL,
  value   TEXT NOT NULL,
  claimed TEXT NOT NULL,
  PRIMARY KEY (org, kind, value),
  UNIQUE (kind, value)
) STRICT;

-- +goose Down
DROP TABLE ledger;
DROP TABLE operations;
DROP TABLE layers;
DROP TABLE orgs;
