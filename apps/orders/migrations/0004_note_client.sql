-- Up Migration

ALTER TABLE orders ADD COLUMN client_digest text NOT NULL DEFAULT '';
COMMENT ON COLUMN orders.client_digest IS 'Keyed digest of the network address that the order came from; kept, like the token of the card, until it is settled.';

-- Down Migration
ALTER TABLE orders DROP COLUMN client_digest;
