-- Up Migration

CREATE TABLE card_tries (
  subject text PRIMARY KEY,
  count   integer NOT NULL CHECK (count >= 0),
  ends_at timestamptz NOT NULL
);
CREATE INDEX card_tries_ended ON card_tries (ends_at);
COMMENT ON TABLE card_tries IS 'How many cards were declined, or are being asked for, per digest of a client address, a card or an account, until the window ends.';

ALTER TABLE payments
  ADD COLUMN counted_for text NOT NULL DEFAULT '',
  ADD COLUMN retry_at timestamptz;
COMMENT ON COLUMN payments.counted_for IS 'Subjects in card_tries that this payment counts for, until the provider has answered.';
COMMENT ON COLUMN payments.retry_at IS 'Of a payment that was refused after too many declined cards: from when on one may be tried again.';

-- Down Migration
ALTER TABLE payments DROP COLUMN retry_at, DROP COLUMN counted_for;
DROP TABLE card_tries;
