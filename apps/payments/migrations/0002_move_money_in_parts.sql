-- Up Migration

-- What was written before fulfils a narrower rule, so the table need not be read.
ALTER TABLE payments
  ADD COLUMN disputed_amount bigint NOT NULL DEFAULT 0 CHECK (disputed_amount >= 0),
  ADD COLUMN wishes integer NOT NULL DEFAULT 0,
  ADD COLUMN capture_by timestamptz,
  ADD COLUMN lapsed_at timestamptz,
  DROP CONSTRAINT payments_check2,
  ADD CONSTRAINT payments_captured_in_state
    CHECK (state IN ('AUTHORIZED', 'CAPTURED', 'REFUNDED') OR captured_amount = 0) NOT VALID;
COMMENT ON COLUMN payments.disputed_amount IS 'What the customer''s bank took back, in minor units.';
COMMENT ON COLUMN payments.wishes IS 'Grows with each wish (a capture, a refund, a cancellation), so that whoever works on the payment notices those that came meanwhile.';
COMMENT ON COLUMN payments.capture_by IS 'Until when the money that is set aside has to be captured; null where it need not be.';
COMMENT ON COLUMN payments.lapsed_at IS 'When nobody had captured it in time; what is left of it is let go.';

CREATE TABLE captures (
  payment_id uuid NOT NULL REFERENCES payments,
  sequence   integer NOT NULL CHECK (sequence > 0),
  amount     bigint NOT NULL CHECK (amount >= 0),
  final      boolean NOT NULL,
  state      text NOT NULL CHECK (state IN ('PROCESSING', 'SUCCEEDED', 'FAILED')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (payment_id, sequence)
);
COMMENT ON TABLE captures IS 'Each taking of money, written before the provider is asked: a payment and a sequence are captured once at most.';
COMMENT ON COLUMN captures.final IS 'What is left of the authorisation is let go with it.';

CREATE TABLE refunds (
  refund_id          uuid PRIMARY KEY,
  payment_id         uuid NOT NULL REFERENCES payments,
  amount             bigint NOT NULL CHECK (amount >= 0),
  state              text NOT NULL CHECK (state IN ('PROCESSING', 'SUCCEEDED', 'FAILED')),
  reason             text NOT NULL DEFAULT '',
  provider_reference text NOT NULL DEFAULT '',
  created_at         timestamptz NOT NULL
);
CREATE INDEX refunds_by_payment ON refunds (payment_id, created_at);
COMMENT ON TABLE refunds IS 'Each giving back of money, written before the provider is asked, or when it is found at the provider. Those of a payment that have not FAILED never sum to more than was captured.';

CREATE TABLE ledger (
  entry_id   uuid PRIMARY KEY,
  cause      text NOT NULL CONSTRAINT ledger_books_a_cause_once UNIQUE,
  payment_id uuid NOT NULL REFERENCES payments,
  debit      text NOT NULL CHECK (debit IN ('clearing:card', 'clearing:manual', 'sales', 'refunds', 'disputes')),
  credit     text NOT NULL CHECK (credit IN ('clearing:card', 'clearing:manual', 'sales', 'refunds', 'disputes')),
  amount     bigint NOT NULL CHECK (amount > 0),
  currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  booked_at  timestamptz NOT NULL DEFAULT now(),
  CHECK (debit <> credit)
);
CREATE INDEX ledger_by_payment ON ledger (payment_id);
COMMENT ON TABLE ledger IS 'Double entry: each row moves one amount from one account to another, so that no row can be out of balance. Rows are written in the transaction of what they book, and never changed.';
COMMENT ON COLUMN ledger.cause IS 'What is booked: capture:<payment id>:<sequence>, refund:<refund id> or dispute:<payment id>:<version>.';

CREATE VIEW ledger_balances AS
  SELECT account, currency, sum(amount)::bigint AS balance
    FROM (SELECT debit AS account, currency, amount FROM ledger
          UNION ALL SELECT credit, currency, -amount FROM ledger) AS postings
   GROUP BY account, currency;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is only ever added to';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was moved before there were these tables.
INSERT INTO captures (payment_id, sequence, amount, final, state, created_at)
SELECT payment_id, 1, captured_amount, true, 'SUCCEEDED', updated_at FROM payments WHERE state IN ('CAPTURED', 'REFUNDED');
INSERT INTO refunds (refund_id, payment_id, amount, state, created_at)
SELECT payment_id, payment_id, refunded_amount, 'SUCCEEDED', updated_at FROM payments WHERE refunded_amount > 0;
-- The entries' identifiers are as old as the payments, so that nothing takes them for new.
INSERT INTO ledger (entry_id, cause, payment_id, debit, credit, amount, currency)
SELECT payment_id, 'capture:' || payment_id || ':1', payment_id, 'clearing:' || method, 'sales', captured_amount, currency
  FROM payments WHERE captured_amount > 0
UNION ALL
SELECT ('00000000' || substr(payment_id::text, 9))::uuid, 'refund:' || payment_id, payment_id, 'refunds', 'clearing:' || method, refunded_amount, currency
  FROM payments WHERE refunded_amount > 0;

ALTER TABLE webhook_inbox
  ADD COLUMN says_amount bigint,
  DROP CONSTRAINT webhook_inbox_says_check,
  ADD CONSTRAINT webhook_inbox_says_check
    CHECK (says IN ('authorized', 'captured', 'voided', 'declined', 'refunded')) NOT VALID;
CREATE INDEX webhook_inbox_unknown ON webhook_inbox (received_at) WHERE outcome = 'UNKNOWN_PAYMENT';
COMMENT ON COLUMN webhook_inbox.says_amount IS 'How much was captured, or refunded, by what it says.';

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
DROP TABLE differences, check_runs, claims;
DROP INDEX webhook_inbox_unknown;
ALTER TABLE webhook_inbox
  DROP COLUMN says_amount,
  DROP CONSTRAINT webhook_inbox_says_check,
  ADD CONSTRAINT webhook_inbox_says_check CHECK (says IN ('authorized', 'captured', 'voided', 'declined')) NOT VALID;
DROP VIEW ledger_balances;
DROP TABLE ledger, refunds, captures;
DROP FUNCTION refuse_change();
ALTER TABLE payments
  DROP COLUMN disputed_amount,
  DROP COLUMN wishes,
  DROP COLUMN capture_by,
  DROP COLUMN lapsed_at,
  DROP CONSTRAINT payments_captured_in_state,
  ADD CONSTRAINT payments_check2 CHECK (state IN ('CAPTURED', 'REFUNDED') OR captured_amount = 0) NOT VALID;
