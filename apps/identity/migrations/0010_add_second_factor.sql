-- Up Migration

-- How whoever opened the session proved who they are.
ALTER TABLE sessions ADD COLUMN methods text[] NOT NULL DEFAULT ARRAY['pwd'];

-- Secrets of authenticator apps.
CREATE TABLE second_factors (
  user_id       uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  sealed_secret bytea NOT NULL,
  -- Since when logging in asks for it.
  confirmed_at  timestamptz,
  -- The newest code that was used, as its number since 1970: it and those before work no more.
  last_step     bigint NOT NULL DEFAULT 0,
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_codes (
  user_id uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
  digest  bytea NOT NULL CHECK (octet_length(digest) = 32),
  PRIMARY KEY (user_id, digest)
);

-- Log-ins whose password was right and whose code is still to come.
CREATE TABLE login_challenges (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  user_id    uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
  user_agent text NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE INDEX login_challenges_of_user ON login_challenges (user_id, expires_at DESC);
CREATE INDEX login_challenges_expire ON login_challenges (expires_at);
CREATE INDEX second_factors_unconfirmed ON second_factors (created_at) WHERE confirmed_at IS NULL;

-- Down Migration
DROP TABLE login_challenges, recovery_codes, second_factors;
ALTER TABLE sessions DROP COLUMN methods;
