-- Up Migration
CREATE TABLE outbox (
  id              uuid PRIMARY KEY,
  sequence        bigint GENERATED ALWAYS AS IDENTITY,
  type            text NOT NULL,
  aggregate_id    text NOT NULL,
  data            text NOT NULL,
  traceparent     text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  sent_at         timestamptz,
  stream_sequence bigint
);
CREATE INDEX outbox_unsent ON outbox (sequence) WHERE sent_at IS NULL;

CREATE TABLE outbox_relay (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO outbox_relay DEFAULT VALUES;

-- Down Migration
DROP TABLE outbox_relay;
DROP TABLE outbox;
