-- Up Migration

-- Calls of which only `asked` is there: they are under way, or their process died.
CREATE INDEX audit_log_asked ON audit_log (time, seq) WHERE outcome = 'asked';
CREATE INDEX audit_log_outcome ON audit_log (call_id) WHERE id <> call_id;

-- The newest record that was let go; the chain that is kept goes on from it.
ALTER TABLE audit_head ADD COLUMN base_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN base_hash text NOT NULL DEFAULT '';

CREATE FUNCTION refuse_audit_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.time > now() - interval '90 days' OR OLD.seq > (SELECT base_seq FROM audit_head) THEN
    RAISE EXCEPTION 'the audit record is only ever added to';
  END IF;
  RETURN OLD;
END $$;
DROP TRIGGER audit_log_is_append_only ON audit_log;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_log_lets_old_go BEFORE DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_delete();
GRANT DELETE ON audit_log TO CURRENT_USER;

-- Down Migration
REVOKE DELETE ON audit_log FROM CURRENT_USER;
DROP TRIGGER audit_log_lets_old_go ON audit_log;
DROP TRIGGER audit_log_is_append_only ON audit_log;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
DROP FUNCTION refuse_audit_delete();
ALTER TABLE audit_head DROP COLUMN base_seq, DROP COLUMN base_hash;
DROP INDEX audit_log_asked, audit_log_outcome;
