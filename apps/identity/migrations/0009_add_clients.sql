-- Up Migration

-- Programs that log in by themselves.
CREATE TABLE clients (
  client_id    uuid PRIMARY KEY,
  name         text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  permissions  text[] NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz
);

-- What they log in with: two at a time, so that one can be replaced while the other works.
CREATE TABLE client_secrets (
  secret_id    uuid PRIMARY KEY,
  client_id    uuid NOT NULL REFERENCES clients ON DELETE CASCADE,
  secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  CONSTRAINT client_secrets_once UNIQUE (client_id, secret_hash)
);

-- Down Migration
DROP TABLE client_secrets, clients;
