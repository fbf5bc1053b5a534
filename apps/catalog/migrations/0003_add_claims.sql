-- Up Migration

-- Needed by @souk/idempotency.
CREATE TABLE claims (
  principal   text NOT NULL,
  operation   text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  answer      jsonb,
  refusal     jsonb,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, operation, key)
);
CREATE INDEX claims_old ON claims (created_at);
COMMENT ON COLUMN products.request_id IS 'Written by older processes; a product''s key is among the claims now.';

-- Down Migration
COMMENT ON COLUMN products.request_id IS NULL;
DROP TABLE claims;
