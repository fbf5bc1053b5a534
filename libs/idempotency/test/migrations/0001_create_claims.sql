-- Up Migration
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

-- What the specs' work does: money moved per key.
CREATE TABLE effects (effect_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL);

-- Down Migration
DROP TABLE effects, claims;
