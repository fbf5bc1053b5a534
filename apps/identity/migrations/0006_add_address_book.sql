-- Up Migration

CREATE TABLE addresses (
  address_id  uuid PRIMARY KEY,
  user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  name        text NOT NULL,
  line1       text NOT NULL,
  line2       text NOT NULL,
  city        text NOT NULL,
  region      text NOT NULL,
  postal_code text NOT NULL,
  country     text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  -- Nobody has the same address twice.
  digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT addresses_once UNIQUE (user_id, digest)
);

-- Down Migration
DROP TABLE addresses;
