-- Up Migration

-- Failed log-ins and the like, counted for an account, an address of the Internet or a mailbox. The subject is a digest:
-- people type passwords where their address belongs.
CREATE TABLE attempts (
  subject       bytea PRIMARY KEY CHECK (octet_length(subject) = 32),
  count         integer NOT NULL,
  blocked_until timestamptz NOT NULL,
  last_at       timestamptz NOT NULL
);

CREATE INDEX attempts_last_at ON attempts (last_at);

-- Down Migration
DROP TABLE attempts;
