-- +goose Up
-- AWS takes an e-mail address once, whatever its case, and so does the ledger.
-- An address that two orgs have claimed so far, in two cases, is left to both.
UPDATE OR IGNORE ledger SET value = lower(value) WHERE kind = 'e-mail';
UPDATE ledger SET made = 1 WHERE kind = 'e-mail' AND EXISTS (
  SELECT 1 FROM ledger o WHERE o.kind = ledger.kind AND o.org = ledger.org AND lower(o.value) = ledger.value AND o.made = 1
);
DELETE FROM ledger WHERE kind = 'e-mail' AND value <> lower(value) AND EXISTS (
  SELECT 1 FROM ledger o WHERE o.kind = ledger.kind AND o.org = ledger.org AND o.value = lower(ledger.value)
);
