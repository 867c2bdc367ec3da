-- +goose Up
-- An org asks the ledger by these functions, which run with the rights of a role
-- of their own. They take the org from the transaction and not from the caller,
-- and name no other. What runs with another's rights has a fixed search path, in
-- which temporary objects come last.

-- +goose StatementBegin
CREATE FUNCTION ledger_org(asked text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bound text := nullif(current_setting('app.org', true), '');
BEGIN
  IF bound IS NULL OR asked IS DISTINCT FROM bound THEN
    RAISE EXCEPTION 'the transaction is not bound to the org that is asked for' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN bound;
END
$$;
-- +goose StatementEnd

-- A row if the identity is the org's now, none if it is another's.
-- +goose StatementBegin
CREATE FUNCTION ledger_claim(asked text, a_kind text, a_value text, at text, is_made boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY INSERT INTO freehold.ledger AS l (kind, value, org, claimed, made)
    VALUES (a_kind, a_value, me, at, is_made)
    ON CONFLICT (kind, value) DO UPDATE SET made = l.made OR excluded.made WHERE l.org = excluded.org
    RETURNING l.org;
END
$$;
-- +goose StatementEnd

-- A row if a claim of the org's that was only foreseen was given up.
-- +goose StatementBegin
CREATE FUNCTION ledger_release(asked text, a_kind text, a_value text) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY DELETE FROM freehold.ledger l
    WHERE l.org = me AND l.kind = a_kind AND l.value = a_value AND NOT l.made
    RETURNING l.org;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION ledger_mine(asked text) RETURNS TABLE (kind text, value text, made boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY SELECT l.kind, l.value, l.made FROM freehold.ledger l WHERE l.org = me;
END
$$;
-- +goose StatementEnd

-- Of a JSON array of values, those that belong to another org, and never which. An
-- array is looked up by the index; a subquery would be joined to the whole ledger.
-- +goose StatementBegin
CREATE FUNCTION ledger_taken(asked text, a_values text) RETURNS TABLE (kind text, value text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := freehold.ledger_org(asked);
BEGIN
  RETURN QUERY SELECT l.kind, l.value FROM freehold.ledger l
    WHERE l.value = ANY (ARRAY(SELECT jsonb_array_elements_text(a_values::jsonb))) AND l.org <> me;
END
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION ledger_org(text), ledger_claim(text, text, text, text, boolean), ledger_release(text, text, text),
  ledger_mine(text), ledger_taken(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_claim(text, text, text, text, boolean), ledger_release(text, text, text),
  ledger_mine(text), ledger_taken(text, text) TO freehold_org;

-- Whoever is given something has to be able to create it there, for that moment.
GRANT CREATE ON SCHEMA freehold TO freehold_ledger;
ALTER TABLE ledger OWNER TO freehold_ledger;
ALTER FUNCTION ledger_org(text) OWNER TO freehold_ledger;
ALTER FUNCTION ledger_claim(text, text, text, text, boolean) OWNER TO freehold_ledger;
ALTER FUNCTION ledger_release(text, text, text) OWNER TO freehold_ledger;
ALTER FUNCTION ledger_mine(text) OWNER TO freehold_ledger;
ALTER FUNCTION ledger_taken(text, text) OWNER TO freehold_ledger;
REVOKE CREATE ON SCHEMA freehold FROM freehold_ledger;
