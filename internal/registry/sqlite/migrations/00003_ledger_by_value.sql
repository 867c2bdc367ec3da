-- +goose Up
-- Who owns what a document names is asked by the value: the document does not
-- say of which kind it is.
CREATE INDEX ledger_by_value ON ledger (value);

-- +goose Down
DROP INDEX ledger_by_value;
