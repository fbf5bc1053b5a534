-- Up Migration

-- One row for each time that an event had its effect. Nothing here keeps one from having it twice.
CREATE TABLE effects (
  event_id     uuid NOT NULL,
  type         text NOT NULL,
  aggregate_id text NOT NULL
);

-- Orders as their events tell of them.
CREATE TABLE order_states (
  order_id uuid PRIMARY KEY,
  state    text NOT NULL,
  version  integer NOT NULL
);

CREATE TABLE inbox (
  consumer    text NOT NULL,
  event_id    uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);

-- Down Migration
DROP TABLE inbox, order_states, effects;
