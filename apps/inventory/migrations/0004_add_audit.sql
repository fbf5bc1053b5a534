-- Up Migration

-- Needed by @souk/audit: who did what, only ever added to and chained by hashes.
CREATE TABLE audit_log (
  seq            bigint PRIMARY KEY,
  id             uuid NOT NULL UNIQUE,
  call_id        uuid NOT NULL,
  time           timestamptz NOT NULL,
  service        text NOT NULL,
  action         text NOT NULL,
  principal_kind text NOT NULL,
  principal_id   text NOT NULL,
  roles          text NOT NULL,
  session_id     text NOT NULL,
  caller         text NOT NULL,
  source         text NOT NULL,
  request_id     text NOT NULL,
  object_type    text NOT NULL,
  object_id      text NOT NULL,
  outcome        text NOT NULL,
  reason         text NOT NULL,
  count          integer NOT NULL,
  previous_hash  text NOT NULL,
  hash           text NOT NULL
);
CREATE INDEX audit_log_time ON audit_log (time, seq);
CREATE INDEX audit_log_principal ON audit_log (principal_id, time, seq);
CREATE INDEX audit_log_object ON audit_log (object_id, time, seq);

-- The newest record, which the writer of the next one locks, and the key of digests.
CREATE TABLE audit_head (
  only_row   boolean PRIMARY KEY,
  seq        bigint NOT NULL,
  hash       text NOT NULL,
  digest_key text NOT NULL
);
INSERT INTO audit_head (only_row, seq, hash, digest_key)
  SELECT true, 0, '', gen_random_uuid()::text || gen_random_uuid()::text;

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit record is only ever added to';
END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM CURRENT_USER;

-- Down Migration
DROP TABLE audit_log, audit_head;
DROP FUNCTION refuse_audit_change();
