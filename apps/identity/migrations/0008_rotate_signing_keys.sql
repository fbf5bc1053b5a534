-- Up Migration

-- The newest key whose time has come signs; one that is still to come is published already, and one that was followed stays
-- until the last token that it signed has expired.
ALTER TABLE signing_keys ADD COLUMN generation integer, ADD COLUMN signs_from timestamptz;

UPDATE signing_keys SET generation = 1, signs_from = created_at WHERE active;
DELETE FROM signing_keys WHERE NOT active;

DROP INDEX signing_keys_active;
ALTER TABLE signing_keys
  DROP COLUMN active,
  ALTER COLUMN generation SET NOT NULL,
  ALTER COLUMN signs_from SET NOT NULL,
  -- Of those who make the next key at once one succeeds.
  ADD CONSTRAINT signing_keys_generation UNIQUE (generation);

-- Down Migration
ALTER TABLE signing_keys ADD COLUMN active boolean NOT NULL DEFAULT false;
UPDATE signing_keys SET active = true
 WHERE generation = (SELECT max(generation) FROM signing_keys WHERE signs_from <= now());
ALTER TABLE signing_keys ALTER COLUMN active DROP DEFAULT, DROP COLUMN generation, DROP COLUMN signs_from;
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (active) WHERE active;
