-- Up Migration

-- Persons who are erased from all services. What names them is sealed, and forgotten once they are.
CREATE TABLE erasures (
  erasure_id   uuid PRIMARY KEY,
  -- The account that was; for a guest an identifier that stands for them.
  subject_id   uuid NOT NULL UNIQUE,
  sealed_email bytea,
  email_owned  boolean NOT NULL,
  token_hash   bytea NOT NULL CHECK (octet_length(token_hash) = 32),
  requested_at timestamptz NOT NULL DEFAULT now(),
  -- Not done before: events and access tokens of before are still about.
  settles_at   timestamptz NOT NULL,
  completed_at timestamptz,
  pending      integer NOT NULL DEFAULT 0,
  passes       integer NOT NULL DEFAULT 0,
  report       jsonb NOT NULL DEFAULT '[]',
  certificate  text NOT NULL DEFAULT '',
  certificate_key jsonb,
  -- The saga: when the next pass is due, or when whoever makes one must be dead; whose pass it is; how often it failed; and since
  -- when it waits for a person. One that is done is due at no time.
  due_at       timestamptz NOT NULL DEFAULT now(),
  epoch        integer NOT NULL DEFAULT 0,
  failures     integer NOT NULL DEFAULT 0,
  faults       integer NOT NULL DEFAULT 0,
  error        text NOT NULL DEFAULT '',
  parked_at    timestamptz
);
CREATE INDEX erasures_due ON erasures (due_at) WHERE parked_at IS NULL AND due_at < 'infinity';

-- Orders that were erased, so that they are erased again where a database is set back.
CREATE TABLE erasure_orders (
  erasure_id uuid NOT NULL REFERENCES erasures,
  order_id   uuid NOT NULL,
  PRIMARY KEY (erasure_id, order_id)
);

-- The events of a person, for whoever takes the person out of them.
CREATE INDEX outbox_aggregate ON outbox (aggregate_id);
CREATE INDEX account_mails_user ON account_mails (user_id);

-- Down Migration
DROP INDEX account_mails_user, outbox_aggregate;
DROP TABLE erasure_orders, erasures;
