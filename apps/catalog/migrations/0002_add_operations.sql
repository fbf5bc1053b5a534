-- Up Migration

-- Where on the stream an event is, so that it can be told whether the broker still has it.
ALTER TABLE outbox ADD COLUMN stream_sequence bigint;

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
DROP TABLE differences, check_runs;
ALTER TABLE outbox DROP COLUMN stream_sequence;
