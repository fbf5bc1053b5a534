-- Up Migration

-- Where on the stream an event is, so that it can be told whether the broker still has it.
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS stream_sequence bigint;

-- Down Migration
ALTER TABLE outbox DROP COLUMN stream_sequence;
