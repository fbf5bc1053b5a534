-- Up Migration

ALTER TABLE sessions
  -- What refresh tokens are found by. The session's identifier is shown to its owner and stands in access tokens, and must
  -- not be enough to end it.
  ADD COLUMN family_id uuid,
  ADD COLUMN previous_hash bytea CHECK (octet_length(previous_hash) = 32),
  ADD COLUMN rotated_at timestamptz,
  ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN address text NOT NULL DEFAULT '',
  ADD COLUMN user_agent text NOT NULL DEFAULT '';

UPDATE sessions SET family_id = session_id, last_used_at = created_at;

ALTER TABLE sessions ALTER COLUMN family_id SET NOT NULL, ADD CONSTRAINT sessions_family UNIQUE (family_id);
DROP INDEX sessions_user_id;
CREATE INDEX sessions_of_user ON sessions (user_id, last_used_at DESC);
CREATE INDEX sessions_expire ON sessions (expires_at);

-- Down Migration
DROP INDEX sessions_expire, sessions_of_user;
CREATE INDEX sessions_user_id ON sessions (user_id);
ALTER TABLE sessions
  DROP COLUMN family_id, DROP COLUMN previous_hash, DROP COLUMN rotated_at, DROP COLUMN last_used_at,
  DROP COLUMN address, DROP COLUMN user_agent;
