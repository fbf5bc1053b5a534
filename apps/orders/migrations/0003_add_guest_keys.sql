-- Up Migration

-- By which orders of guests are found for whoever proves the address that they were placed with. Older rows, and those of
-- processes of the release before, have none and are found by the address itself.
ALTER TABLE orders ADD COLUMN guest_key text;
CREATE INDEX orders_guest ON orders (COALESCE(guest_key, lower(email COLLATE "C")), order_id) WHERE customer_id IS NULL;

-- Down Migration

DROP INDEX orders_guest;
ALTER TABLE orders DROP COLUMN guest_key;
