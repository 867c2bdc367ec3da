-- +goose Up
ALTER TABLE operations ADD COLUMN reason text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN holder text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX steps_by_layer ON steps (org, layer, started);

-- What all orgs together do at once: a slot that nobody has, has no org. As of
-- the ledger, no org has any right on these tables.
CREATE TABLE slots (
  kind      text COLLATE "C" NOT NULL,
  slot      bigint           NOT NULL,
  org       text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  taken     bigint           NOT NULL,
  renewals  bigint           NOT NULL,
  ttl       bigint           NOT NULL,
  PRIMARY KEY (kind, slot)
);
CREATE INDEX slots_by_org ON slots (org);

-- How fast: when the pace of a kind is used up to.
CREATE TABLE paces (
  kind text COLLATE "C" NOT NULL PRIMARY KEY,
  used text COLLATE "C" NOT NULL
);
GRANT SELECT ON slots, paces TO freehold_fleet;

-- +goose StatementBegin
CREATE FUNCTION slots_mine(asked text, an_operation text, a_kind text) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY SELECT s.slot FROM freehold.slots s WHERE s.org = me AND s.operation = an_operation AND s.kind = a_kind;
END
$$;
-- +goose StatementEnd

-- Which slots are taken, and never by whom.
-- +goose StatementBegin
CREATE FUNCTION slots_seen(asked text, a_kind text, upto bigint)
RETURNS TABLE (slot bigint, taken bigint, renewals bigint, ttl bigint, free boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM freehold.ledger_org(asked);
  RETURN QUERY SELECT s.slot, s.taken, s.renewals, s.ttl, s.org = '' FROM freehold.slots s
    WHERE s.kind = a_kind AND s.slot <= upto;
END
$$;
-- +goose StatementEnd

-- The slot, or no row if somebody else was faster.
-- +goose StatementBegin
CREATE FUNCTION slots_take(asked text, an_operation text, a_kind text, a_slot bigint, a_ttl bigint, seen_taken bigint, seen_renewals bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY INSERT INTO freehold.slots AS s (kind, slot, org, operation, taken, renewals, ttl)
    VALUES (a_kind, a_slot, me, an_operation, 1, 0, a_ttl)
    ON CONFLICT (kind, slot) DO UPDATE SET org = excluded.org, operation = excluded.operation, taken = s.taken + 1,
      renewals = 0, ttl = excluded.ttl WHERE s.taken = seen_taken AND s.renewals = seen_renewals
    RETURNING s.slot;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION slots_renew(asked text) RETURNS SETOF bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY UPDATE freehold.slots s SET renewals = s.renewals + 1 WHERE s.org = me RETURNING s.slot;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION slots_free(asked text, an_operation text, a_kind text) RETURNS SETOF bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY UPDATE freehold.slots s SET org = '', operation = '', renewals = s.renewals + 1
    WHERE s.org = me AND s.operation = an_operation AND (s.kind = a_kind OR a_kind = '') RETURNING s.slot;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION slots_pace(asked text, a_kind text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM freehold.ledger_org(asked);
  RETURN QUERY SELECT p.used FROM freehold.paces p WHERE p.kind = a_kind;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION slots_set_pace(asked text, a_kind text, was text, is_now text) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM freehold.ledger_org(asked);
  RETURN QUERY INSERT INTO freehold.paces AS p (kind, used) VALUES (a_kind, is_now)
    ON CONFLICT (kind) DO UPDATE SET used = excluded.used WHERE p.used = was RETURNING p.used;
END
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION slots_mine(text, text, text), slots_seen(text, text, bigint),
  slots_take(text, text, text, bigint, bigint, bigint, bigint), slots_renew(text), slots_free(text, text, text),
  slots_pace(text, text), slots_set_pace(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION slots_mine(text, text, text), slots_seen(text, text, bigint),
  slots_take(text, text, text, bigint, bigint, bigint, bigint), slots_renew(text), slots_free(text, text, text),
  slots_pace(text, text), slots_set_pace(text, text, text, text) TO freehold_org;

-- Whoever is given something has to be able to create it there, for that moment.
GRANT CREATE ON SCHEMA freehold TO freehold_ledger;
ALTER TABLE slots OWNER TO freehold_ledger;
ALTER TABLE paces OWNER TO freehold_ledger;
ALTER FUNCTION slots_mine(text, text, text) OWNER TO freehold_ledger;
ALTER FUNCTION slots_seen(text, text, bigint) OWNER TO freehold_ledger;
ALTER FUNCTION slots_take(text, text, text, bigint, bigint, bigint, bigint) OWNER TO freehold_ledger;
ALTER FUNCTION slots_renew(text) OWNER TO freehold_ledger;
ALTER FUNCTION slots_free(text, text, text) OWNER TO freehold_ledger;
ALTER FUNCTION slots_pace(text, text) OWNER TO freehold_ledger;
ALTER FUNCTION slots_set_pace(text, text, text, text) OWNER TO freehold_ledger;
REVOKE CREATE ON SCHEMA freehold FROM freehold_ledger;
