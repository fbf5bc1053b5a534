-- Up Migration

-- What was written before fulfils a narrower rule, so the table need not be read.
ALTER TABLE movements
  ADD COLUMN reason text NOT NULL DEFAULT '',
  DROP CONSTRAINT movements_kind_check,
  ADD CONSTRAINT movements_kind_check
    CHECK (kind IN ('OPENED', 'COUNTED', 'HELD', 'RELEASED', 'SOLD', 'RETURNED', 'ADJUSTED')) NOT VALID;
COMMENT ON COLUMN movements.reason IS 'Why staff adjusted the stock, in their words.';

CREATE INDEX holds_held ON holds (order_id) WHERE state = 'HELD';

CREATE TABLE cart_holds (
  cart_id    text COLLATE "C" PRIMARY KEY,
  hold_id    uuid NOT NULL,
  lines      jsonb NOT NULL,
  expires_at timestamptz NOT NULL
);
COMMENT ON TABLE cart_holds IS 'What carts hold now. A hold that ended, whichever way, has no row: what it did is in movements.';
COMMENT ON COLUMN cart_holds.hold_id IS 'Of this act of holding; its movements name it as their cause.';
CREATE INDEX cart_holds_expiry ON cart_holds (expires_at);
-- By SKU, for those that are looked for when a SKU is short.
CREATE INDEX cart_holds_skus ON cart_holds USING gin (jsonb_path_query_array(lines, '$[*].sku'));

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

-- Needed by @souk/operations.
CREATE TABLE check_runs (
  name        text PRIMARY KEY,
  due_at      timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz,
  epoch       integer NOT NULL DEFAULT 0,
  ended_at    timestamptz,
  compared    bigint NOT NULL DEFAULT 0,
  error       text NOT NULL DEFAULT ''
);
CREATE TABLE differences (
  check_name    text NOT NULL,
  subject       text NOT NULL,
  detail        text NOT NULL,
  mend          text NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (check_name, subject)
);

-- Down Migration
DROP TABLE differences, check_runs, claims, cart_holds;
DROP INDEX holds_held;
ALTER TABLE movements
  DROP COLUMN reason,
  DROP CONSTRAINT movements_kind_check,
  ADD CONSTRAINT movements_kind_check
    CHECK (kind IN ('OPENED', 'COUNTED', 'HELD', 'RELEASED', 'SOLD', 'RETURNED')) NOT VALID;
