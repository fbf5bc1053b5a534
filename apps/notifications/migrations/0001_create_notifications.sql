-- Up Migration
CREATE TABLE notifications (
  notification_id uuid PRIMARY KEY,
  order_id        uuid NOT NULL,
  kind            text NOT NULL,
  recipient       text NOT NULL,
  subject         text NOT NULL,
  content         jsonb NOT NULL,
  -- SENDING: being handed to the mail server, and perhaps there already.
  state           text NOT NULL DEFAULT 'QUEUED' CHECK (state IN ('QUEUED', 'SENDING', 'SENT', 'FAILED')),
  tries           int NOT NULL DEFAULT 0,
  -- When the next worker may take it: after a pause, or when the worker that has it must be dead.
  due_at          timestamptz NOT NULL DEFAULT now(),
  claim           uuid,
  last_error      text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  sent_at         timestamptz,
  -- Each at most once per cause.
  CONSTRAINT notifications_cause UNIQUE (order_id, kind)
);

CREATE INDEX notifications_due ON notifications (due_at) WHERE state IN ('QUEUED', 'SENDING');

-- Needed by @souk/inbox.
CREATE TABLE inbox (
  consumer    text NOT NULL,
  event_id    uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);

-- Down Migration
DROP TABLE inbox, notifications;
