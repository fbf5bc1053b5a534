-- Up Migration

-- A mail is about an order, or it is one that identity asked for under an identifier of its own.
ALTER TABLE notifications
  ALTER COLUMN order_id DROP NOT NULL,
  ADD COLUMN request_id uuid,
  ADD CONSTRAINT notifications_request UNIQUE (request_id),
  ADD CONSTRAINT notifications_about CHECK (num_nonnulls(order_id, request_id) = 1);

CREATE INDEX notifications_account_mails ON notifications (created_at) WHERE request_id IS NOT NULL;

-- Down Migration
DELETE FROM notifications WHERE request_id IS NOT NULL;
ALTER TABLE notifications DROP COLUMN request_id, ALTER COLUMN order_id SET NOT NULL;
