-- Up Migration

-- Money that went back.
ALTER TABLE orders
  DROP CONSTRAINT orders_state_check,
  ADD CONSTRAINT orders_state_check
    CHECK (state IN ('PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED', 'FULFILLED', 'REFUNDED')),
  ADD COLUMN refunded_amount bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT orders_refunded CHECK (refunded_amount BETWEEN 0 AND total_amount);

-- The saga: which version of it began the order; how often it failed for a reason of its own; and since when it waits for a
-- person. A parked saga keeps its phase, and is due at no time.
ALTER TABLE orders
  ADD COLUMN saga_version smallint NOT NULL DEFAULT 1,
  ADD COLUMN saga_faults integer NOT NULL DEFAULT 0,
  ADD COLUMN saga_parked_at timestamptz;
UPDATE orders
   SET saga_phase = CASE WHEN state = 'PENDING' THEN 'CHECKOUT' ELSE 'UNDO' END, saga_parked_at = now(), saga_due_at = 'infinity'
 WHERE saga_phase = 'PARKED';
ALTER TABLE orders
  DROP CONSTRAINT orders_saga_phase_check,
  ADD CONSTRAINT orders_saga_phase_check CHECK (saga_phase IN ('CHECKOUT', 'UNDO', 'DONE'));
CREATE INDEX orders_parked ON orders (order_id) WHERE saga_parked_at IS NOT NULL;

-- A customer's carts with the same lines: one of them is being ordered at a time. The digest is that of the lines, and is
-- there only for orders that a customer made from a cart.
ALTER TABLE orders ADD COLUMN lines_digest text;
CREATE UNIQUE INDEX orders_twin ON orders (customer_id, lines_digest)
  WHERE state = 'PENDING' AND NOT cancel_requested AND lines_digest IS NOT NULL;

-- Keys that were answered with an order that another key had placed.
CREATE TABLE claim_aliases (
  principal text NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  order_id uuid NOT NULL,
  PRIMARY KEY (principal, key)
);
-- The order of the same lines that this cart was answered with.
ALTER TABLE carts ADD COLUMN twin_order_id uuid;

-- What the checks read: orders by the time of their last change.
CREATE INDEX orders_changed ON orders (updated_at, order_id);

CREATE TABLE claims (
  principal text NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  answer jsonb,
  refusal jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, operation, key)
);
CREATE INDEX claims_old ON claims (created_at);

-- Where on the stream an event is.
ALTER TABLE outbox ADD COLUMN stream_sequence bigint;

-- Events of others that were handled, each once for each consumer.
CREATE TABLE inbox (
  consumer text NOT NULL,
  event_id uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);

CREATE TABLE check_runs (
  name text PRIMARY KEY,
  due_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz,
  epoch integer NOT NULL DEFAULT 0,
  ended_at timestamptz,
  compared bigint NOT NULL DEFAULT 0,
  error text NOT NULL DEFAULT ''
);

CREATE TABLE differences (
  check_name text NOT NULL,
  subject text NOT NULL,
  detail text NOT NULL,
  mend text NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (check_name, subject)
);

-- Down Migration

DROP TABLE differences, check_runs, inbox, claims, claim_aliases;
DROP INDEX orders_changed, orders_twin, orders_parked;
ALTER TABLE outbox DROP COLUMN stream_sequence;
ALTER TABLE carts DROP COLUMN twin_order_id;
ALTER TABLE orders DROP CONSTRAINT orders_saga_phase_check;
UPDATE orders SET saga_phase = 'PARKED' WHERE saga_parked_at IS NOT NULL;
UPDATE orders SET state = 'FULFILLED' WHERE state = 'REFUNDED';
ALTER TABLE orders
  ADD CONSTRAINT orders_saga_phase_check CHECK (saga_phase IN ('CHECKOUT', 'UNDO', 'DONE', 'PARKED')),
  DROP CONSTRAINT orders_state_check,
  ADD CONSTRAINT orders_state_check CHECK (state IN ('PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED', 'FULFILLED')),
  DROP CONSTRAINT orders_refunded,
  DROP COLUMN refunded_amount,
  DROP COLUMN lines_digest,
  DROP COLUMN saga_version,
  DROP COLUMN saga_faults,
  DROP COLUMN saga_parked_at;
