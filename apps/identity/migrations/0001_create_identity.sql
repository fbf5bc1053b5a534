-- Up Migration
CREATE TABLE users (
  user_id       uuid PRIMARY KEY,
  email         text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
  name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  password_hash text NOT NULL,
  roles         text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'staff', 'admin']),
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- One account per address, however it is typed.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE INDEX users_admins ON users (user_id) WHERE 'admin' = ANY (roles);

CREATE TABLE sessions (
  session_id uuid PRIMARY KEY,
  user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX sessions_user_id ON sessions (user_id);

CREATE TABLE signing_keys (
  key_id             text PRIMARY KEY,
  public_jwk         jsonb NOT NULL,
  sealed_private_key bytea NOT NULL,
  active             boolean NOT NULL,
  created_at         timestamptz NOT NULL DEFAULT now()
);

-- One key signs at a time: of two replicas that start at once, one makes it.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (active) WHERE active;

-- Needed by @souk/outbox.
CREATE TABLE outbox (
  id           uuid PRIMARY KEY,
  sequence     bigint GENERATED ALWAYS AS IDENTITY,
  type         text NOT NULL,
  aggregate_id text NOT NULL,
  data         text NOT NULL,
  traceparent  text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  sent_at      timestamptz
);
CREATE INDEX outbox_unsent ON outbox (sequence) WHERE sent_at IS NULL;
CREATE TABLE outbox_relay (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton));
INSERT INTO outbox_relay DEFAULT VALUES;

-- Down Migration
DROP TABLE outbox_relay, outbox, signing_keys, sessions, users;
