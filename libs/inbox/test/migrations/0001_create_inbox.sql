-- Up Migration
CREATE TABLE inbox (
  consumer    text NOT NULL,
  event_id    uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);
CREATE TABLE effect (event_id uuid NOT NULL, note text NOT NULL);

-- Down Migration
DROP TABLE effect;
DROP TABLE inbox;
