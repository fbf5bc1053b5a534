-- Up Migration

-- What a product is found by: its words stemmed, and unstemmed too where a buyer may have typed only their beginning.
-- Declared immutable, though array_to_string is not in general: for text it is.
CREATE FUNCTION product_search(title text, vendor text, product_type text, tags text[], description_html text)
  RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT setweight(to_tsvector('english', title) || to_tsvector('simple', title), 'A')
      || setweight(to_tsvector('english', labels) || to_tsvector('simple', labels), 'B')
      || setweight(to_tsvector('english', description_html), 'C')
    FROM (SELECT concat_ws(' ; ', vendor, product_type, array_to_string(tags, ' ; ')) AS labels) AS l
$$;

CREATE TABLE products (
  id uuid PRIMARY KEY,
  slug text COLLATE "C" NOT NULL,
  title text NOT NULL,
  description_html text NOT NULL,
  vendor text NOT NULL,
  product_type text NOT NULL,
  tags text[] NOT NULL,
  images jsonb NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  -- Equal while the product is as the last file or call wanted it.
  content_hash text NOT NULL,
  request_id uuid,
  search tsvector NOT NULL GENERATED ALWAYS AS (product_search(title, vendor, product_type, tags, description_html)) STORED,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CONSTRAINT products_request UNIQUE (request_id)
);

CREATE UNIQUE INDEX products_slug ON products (slug) WHERE deleted_at IS NULL;
CREATE INDEX products_search ON products USING gin (search) WHERE deleted_at IS NULL;

-- A SKU keeps its row for ever: while it is off sale the row tells that it was on sale before.
CREATE TABLE variants (
  sku text COLLATE "C" PRIMARY KEY,
  product_id uuid NOT NULL REFERENCES products,
  position integer NOT NULL,
  title text NOT NULL,
  options jsonb NOT NULL,
  price_amount bigint NOT NULL CHECK (price_amount >= 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  compare_at_amount bigint CHECK (compare_at_amount >= 0),
  barcode text NOT NULL,
  grams integer NOT NULL CHECK (grams >= 0),
  deleted_at timestamptz
);

CREATE INDEX variants_product ON variants (product_id) WHERE deleted_at IS NULL;

CREATE TABLE categories (
  slug text COLLATE "C" PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE product_categories (
  category text COLLATE "C" NOT NULL REFERENCES categories,
  product_id uuid NOT NULL REFERENCES products,
  PRIMARY KEY (category, product_id)
);

CREATE INDEX product_categories_product ON product_categories (product_id);

CREATE TABLE imports (
  id uuid PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('RECEIVING', 'PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')),
  size_bytes bigint NOT NULL DEFAULT 0,
  read_bytes bigint NOT NULL DEFAULT 0,
  rows integer NOT NULL DEFAULT 0,
  imported integer NOT NULL DEFAULT 0,
  created integer NOT NULL DEFAULT 0,
  updated integer NOT NULL DEFAULT 0,
  variants integer NOT NULL DEFAULT 0,
  rejected_count integer NOT NULL DEFAULT 0,
  rejected jsonb NOT NULL DEFAULT '[]',
  -- Where to go on: what begins on this line or before it was applied.
  applied_line integer NOT NULL DEFAULT 0,
  -- Who works on it, and until when nobody else may.
  lease_owner uuid,
  lease_until timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);

CREATE INDEX imports_open ON imports (created_at) WHERE state IN ('RECEIVING', 'PENDING', 'RUNNING');

CREATE TABLE import_chunks (
  import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
  position integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (import_id, position)
);

-- Needed by @souk/outbox.
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
CREATE TABLE outbox_relay (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton));
INSERT INTO outbox_relay DEFAULT VALUES;

-- Down Migration

DROP TABLE outbox_relay, outbox, import_chunks, imports, product_categories, categories, variants, products;
DROP FUNCTION product_search;
