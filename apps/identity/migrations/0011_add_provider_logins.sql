-- Up Migration

-- Log-ins by the identity provider that have begun: which browser each belongs to, until it is back.
CREATE TABLE provider_logins (
  state_hash    bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
  verifier_hash bytea NOT NULL CHECK (octet_length(verifier_hash) = 32),
  expires_at    timestamptz NOT NULL
);

CREATE INDEX provider_logins_expire ON provider_logins (expires_at);

-- Who somebody is at a provider. It is theirs for good, whatever becomes of their address.
CREATE TABLE provider_identities (
  issuer        text NOT NULL,
  subject       text NOT NULL,
  user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at    timestamptz NOT NULL DEFAULT now(),
  last_login_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject),
  CONSTRAINT provider_identities_one UNIQUE (user_id, issuer)
);

-- Down Migration
DROP TABLE provider_identities, provider_logins;
