-- Up Migration
CREATE TABLE stock (
  sku     text COLLATE "C" PRIMARY KEY,
  on_hand integer NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
  held    integer NOT NULL DEFAULT 0 CHECK (held >= 0),
  version integer NOT NULL DEFAULT 0,
  CHECK (held <= on_hand)
) WITH (fillfactor = 50);
COMMENT ON TABLE stock IS 'Units per SKU. Half of each page is kept free: a hot row is rewritten in place, without touching its index.';
COMMENT ON COLUMN stock.version IS 'Number of movements of this SKU.';

CREATE TABLE holds (
  order_id   text COLLATE "C" PRIMARY KEY,
  state      text NOT NULL CHECK (state IN ('HELD', 'REFUSED', 'RELEASED', 'SOLD')),
  lines      jsonb NOT NULL,
  shortages  jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
COMMENT ON TABLE holds IS 'What each order asked for and got, for good. A released hold without lines was released before it was asked for.';

CREATE TABLE movements (
  movement_id   bigint GENERATED ALWAYS AS IDENTITY,
  sku           text COLLATE "C" NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('OPENED', 'COUNTED', 'HELD', 'RELEASED', 'SOLD', 'RETURNED')),
  on_hand_delta integer NOT NULL,
  held_delta    integer NOT NULL,
  cause         text COLLATE "C" NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (sku, movement_id),
  CONSTRAINT movements_once UNIQUE (cause, sku, kind)
);
COMMENT ON TABLE movements IS 'Every change of stock; they sum to the counters of stock. Written once, never changed.';

CREATE TABLE outbox (
  id           uuid PRIMARY KEY,
  sequence     bigint GENERATED ALWAYS AS IDENTITY,
  type         text NOT NULL,
  aggregate_id text NOT NULL,
  data         text NOT NULL,
  traceparent  text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  sent_at      timestamptz
);
CREATE INDEX outbox_unsent ON outbox (sequence) WHERE sent_at IS NULL;

CREATE TABLE outbox_relay (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row));
INSERT INTO outbox_relay DEFAULT VALUES;

CREATE TABLE inbox (
  consumer    text NOT NULL,
  event_id    uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);

-- Down Migration
DROP TABLE inbox, outbox_relay, outbox, movements, holds, stock;
