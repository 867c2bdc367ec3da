-- +goose Up
-- The account that Freehold ran in when it onboarded the org: with other
-- credentials, everything of the org would look gone.
ALTER TABLE orgs ADD COLUMN management TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE orgs DROP COLUMN management;
