import { sql, type Database } from '@souk/postgres';

const DISAGREEMENTS = sql(
  'test.ledger_disagreements',
  `WITH moved AS (
     SELECT sku, sum(on_hand_delta) AS on_hand, sum(held_delta) AS held, count(*) AS version,
            sum(on_hand_delta) FILTER (WHERE kind IN ('OPENED', 'COUNTED', 'ADJUSTED')) AS received,
            -sum(on_hand_delta) FILTER (WHERE kind IN ('SOLD', 'RETURNED')) AS sold
       FROM movements GROUP BY sku
   ), live AS (
     SELECT line ->> 'sku' AS sku, sum((line ->> 'quantity')::int) AS held
       FROM (SELECT lines FROM holds WHERE state = 'HELD' UNION ALL SELECT lines FROM cart_holds) AS held,
            jsonb_array_elements(lines) AS line
      GROUP BY 1
   )
   SELECT sku, stock.on_hand, stock.held, stock.version, moved.on_hand AS moved, moved.held AS held_moved, live.held AS live
     FROM stock FULL JOIN moved USING (sku) FULL JOIN live USING (sku)
    WHERE (stock.on_hand, stock.held, stock.version)
            IS DISTINCT FROM (moved.on_hand, moved.held, moved.version)
       OR stock.held <> coalesce(live.held, 0)
       OR stock.on_hand < stock.held OR stock.held < 0
       OR coalesce(moved.sold, 0) + stock.held > coalesce(moved.received, 0)`,
);

/** SKUs whose counters, ledger and live holds don't agree. There must never be one. */
export function ledgerDisagreements(database: Database): Promise<object[]> {
  return database.query(DISAGREEMENTS);
}
