-- Up Migration
CREATE TABLE payments (
  payment_id           uuid PRIMARY KEY,
  order_id             uuid NOT NULL,
  state                text NOT NULL CHECK (state IN ('PROCESSING', 'AUTHORIZED', 'DECLINED', 'CAPTURED', 'VOIDED', 'REFUNDED')),
  method               text NOT NULL CHECK (method IN ('card', 'manual', 'none')),
  amount               bigint NOT NULL CHECK (amount >= 0),
  currency             text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  captured_amount      bigint NOT NULL DEFAULT 0 CHECK (captured_amount >= 0),
  refunded_amount      bigint NOT NULL DEFAULT 0 CHECK (refunded_amount >= 0),
  provider_reference   text NOT NULL DEFAULT '',
  decline_code         text NOT NULL DEFAULT '',
  token                text NOT NULL DEFAULT '',
  email                text NOT NULL DEFAULT '',
  version              integer NOT NULL CHECK (version > 0),
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL,
  capture_requested_at timestamptz,
  cancel_requested_at  timestamptz,
  next_try_at          timestamptz,
  tries                integer NOT NULL DEFAULT 0,
  lease_until          timestamptz,
  epoch                integer NOT NULL DEFAULT 0,
  CONSTRAINT payments_once_per_order UNIQUE (order_id),
  CHECK (captured_amount <= amount),
  CHECK (refunded_amount <= captured_amount),
  CHECK (state IN ('CAPTURED', 'REFUNDED') OR captured_amount = 0)
) WITH (fillfactor = 80);
CREATE INDEX payments_due ON payments (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX payments_by_reference ON payments (provider_reference) WHERE provider_reference <> '';
COMMENT ON TABLE payments IS 'The one payment of each order, for good. Amounts are minor units.';
COMMENT ON COLUMN payments.token IS 'What names the card at the provider; kept, with the address, until the provider has answered, so that a repeated request is the same.';
COMMENT ON COLUMN payments.next_try_at IS 'When the next step towards what is wanted is due; null where nothing is.';
COMMENT ON COLUMN payments.lease_until IS 'Until then one process works on it; its writes name the epoch that the lease gave.';

CREATE TABLE payment_attempts (
  payment_id  uuid NOT NULL REFERENCES payments,
  operation   text NOT NULL,
  attempt     integer NOT NULL CHECK (attempt > 0),
  calls       integer NOT NULL DEFAULT 1,
  outcome     text,
  detail      text NOT NULL DEFAULT '',
  started_at  timestamptz NOT NULL DEFAULT now(),
  called_at   timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (payment_id, operation, attempt)
);
COMMENT ON TABLE payment_attempts IS 'What a provider was asked, written before the call. <payment_id>:<operation>:<attempt> is the idempotency key.';
COMMENT ON COLUMN payment_attempts.outcome IS 'Null: never answered. SPENT: the key gets no other answer any more, the next call takes a new one.';

CREATE TABLE webhook_inbox (
  event_id    text PRIMARY KEY,
  type        text NOT NULL,
  reference   text NOT NULL,
  payment_id  uuid,
  says        text CHECK (says IN ('authorized', 'captured', 'voided', 'declined')),
  payload     jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  next_try_at timestamptz DEFAULT now(),
  tries       integer NOT NULL DEFAULT 0,
  outcome     text CHECK (outcome IN ('APPLIED', 'OLD_NEWS', 'IGNORED', 'UNKNOWN_PAYMENT'))
);
CREATE INDEX webhook_inbox_due ON webhook_inbox (next_try_at) WHERE next_try_at IS NOT NULL;
COMMENT ON TABLE webhook_inbox IS 'Notices of the provider, each once. One of an unknown payment is kept as such.';

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

CREATE TABLE outbox_relay (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row));
INSERT INTO outbox_relay DEFAULT VALUES;

CREATE TABLE inbox (
  consumer    text NOT NULL,
  event_id    uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);

-- Down Migration
DROP TABLE inbox, outbox_relay, outbox, webhook_inbox, payment_attempts, payments;
