-- Up Migration

-- An order is the record of what was agreed: its lines, address and history are kept as they were, so they are documents.
CREATE TABLE orders (
  order_id uuid PRIMARY KEY,
  number text NOT NULL UNIQUE,
  state text NOT NULL CHECK (state IN ('PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED', 'FULFILLED')),
  cancel_requested boolean NOT NULL,
  lines jsonb NOT NULL,
  total_amount bigint NOT NULL CHECK (total_amount >= 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  email text NOT NULL,
  shipping_address jsonb NOT NULL,
  payment_method text NOT NULL,
  payment_token text NOT NULL,
  customer_id uuid,
  cart_id uuid,
  rejection jsonb,
  timeline jsonb NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- The claim: one order per key of one principal, and what the key was used for.
  claim_principal text NOT NULL,
  claim_key text NOT NULL,
  claim_fingerprint text NOT NULL,
  -- The saga: what is left to do, who may do it (the holder of the newest epoch), and when another may take over.
  saga_phase text NOT NULL CHECK (saga_phase IN ('CHECKOUT', 'UNDO', 'DONE', 'PARKED')),
  saga_epoch integer NOT NULL,
  saga_due_at timestamptz NOT NULL,
  saga_failures integer NOT NULL,
  saga_error text,
  CONSTRAINT orders_claim UNIQUE (claim_principal, claim_key),
  CONSTRAINT orders_settled CHECK (state = 'PENDING' OR saga_phase <> 'CHECKOUT')
);

-- One order per cart; a refused one leaves the cart free for another try.
CREATE UNIQUE INDEX orders_cart ON orders (cart_id) WHERE cart_id IS NOT NULL AND state <> 'REJECTED';
CREATE INDEX orders_customer ON orders (customer_id, order_id DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_due ON orders (saga_due_at) WHERE saga_phase IN ('CHECKOUT', 'UNDO');

CREATE TABLE carts (
  cart_id uuid PRIMARY KEY,
  customer_id uuid,
  lines jsonb NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- Facts to publish, written in the transaction of the change they tell of.
CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  type text NOT NULL,
  aggregate_id text NOT NULL,
  data text NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (sequence) WHERE sent_at IS NULL;

-- Whoever locks its one row is the relay.
CREATE TABLE outbox_relay (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO outbox_relay DEFAULT VALUES;

-- Down Migration

DROP TABLE outbox_relay;
DROP TABLE outbox;
DROP TABLE carts;
DROP TABLE orders;
