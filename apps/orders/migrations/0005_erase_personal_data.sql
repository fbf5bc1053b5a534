-- Up Migration

-- The events of an order, for whoever takes the person out of them.
CREATE INDEX outbox_aggregate ON outbox (aggregate_id);

-- Down Migration

DROP INDEX outbox_aggregate;
