-- +goose Up
-- An operation holds its org by a lease, and the fencing token of that lease
-- goes with each of its writes. The counter of tokens survives every lease.
CREATE TABLE fences (
  org   TEXT NOT NULL PRIMARY KEY,
  token INTEGER NOT NULL
) STRICT;

CREATE TABLE leases (
  org       TEXT NOT NULL PRIMARY KEY,
  operation TEXT NOT NULL,
  token     INTEGER NOT NULL,
  holder    TEXT NOT NULL,
  until     TEXT NOT NULL,
  renewed   TEXT NOT NULL
) STRICT;

-- The operations of earlier versions have no token, and no stored event that
-- anybody could be sent.
ALTER TABLE operations ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN delivered INTEGER NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX operations_one_running ON operations (org) WHERE state = 'running';

CREATE TABLE events (
  org       TEXT NOT NULL,
  operation TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  type      TEXT NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (org, operation, seq)
) STRICT;

CREATE UNIQUE INDEX events_one_terminal ON events (org, operation)
  WHERE type IN ('operation.succeeded', 'operation.failed', 'operation.blocked', 'operation.pending');

-- Until now, an org was unclean as a whole: when its last operation did not succeed.
ALTER TABLE layers ADD COLUMN unclean INTEGER NOT NULL DEFAULT 0;
ALTER TABLE layers ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
UPDATE layers SET unclean = 1 WHERE (
  SELECT state FROM operations o WHERE o.org = layers.org ORDER BY started DESC, id DESC LIMIT 1
) <> 'succeeded';
UPDATE layers SET made = 1
  WHERE state IN ('done', 'failed') OR coalesce(CAST(outputs AS TEXT), 'null') NOT IN ('null', '{}');

-- Nothing says of an older claim whether it was only foreseen, so none can be released.
ALTER TABLE ledger ADD COLUMN made INTEGER NOT NULL DEFAULT 1;
