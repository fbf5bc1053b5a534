/**
 * What must be true of stock at any moment, read again from what was written. Each page is one statement, so it compares
 * what was committed together, also while people buy.
 */
import type { Check, Finding } from '@souk/operations';
import { sql, type Database } from '@souk/postgres';

const PAGE = 1_000;
const MOST_FINDINGS = 1_000;
/** After every SKU there can be. */
const END = '\u{10FFFF}';

const SKUS_AFTER = sql('stock_checks.skus_after', 'SELECT sku FROM stock WHERE sku > $1 ORDER BY sku LIMIT $2');

const LEDGER_DIFFERENCES = sql(
  'stock_checks.ledger_differences',
  `SELECT sku, coalesce(stock.on_hand, 0) AS on_hand, coalesce(stock.held, 0) AS held, coalesce(stock.version, 0) AS version,
          coalesce(moved.on_hand, 0)::int AS moved_on_hand, coalesce(moved.held, 0)::int AS moved_held,
          coalesce(moved.version, 0)::int AS moved_version
     FROM (SELECT sku, on_hand, held, version FROM stock WHERE sku > $1 AND sku <= $2) AS stock
     FULL JOIN (SELECT sku, sum(on_hand_delta) AS on_hand, sum(held_delta) AS held, count(*) AS version
                  FROM movements WHERE sku > $1 AND sku <= $2 GROUP BY sku) AS moved USING (sku)
    WHERE (coalesce(stock.on_hand, 0), coalesce(stock.held, 0), coalesce(stock.version, 0))
            <> (coalesce(moved.on_hand, 0), coalesce(moved.held, 0), coalesce(moved.version, 0))
    ORDER BY sku`,
);

const HELD_DIFFERENCES = sql(
  'stock_checks.held_differences',
  `SELECT sku, coalesce(stock.held, 0) AS held, coalesce(live.units, 0)::int AS units
     FROM (SELECT sku, held FROM stock WHERE sku > $1 AND sku <= $2) AS stock
     FULL JOIN (SELECT line.sku, sum(line.quantity) AS units
                  FROM (SELECT lines FROM holds WHERE state = 'HELD' UNION ALL SELECT lines FROM cart_holds) AS held,
                       jsonb_to_recordset(held.lines) AS line (sku text COLLATE "C", quantity int)
                 WHERE line.sku > $1 AND line.sku <= $2 GROUP BY line.sku) AS live USING (sku)
    WHERE coalesce(stock.held, 0) <> coalesce(live.units, 0)
    ORDER BY sku`,
);

/** What the movements and the holds of a SKU sum to, where a check found a difference. Not read where there is none. */
export const SELECT_RECORDS_THAT_DISAGREE = sql(
  'stock_checks.select_records_that_disagree',
  `SELECT $1 AS sku, moved.on_hand, moved.held, moved.version, live.units AS held_units
     FROM (SELECT coalesce(sum(on_hand_delta), 0)::int AS on_hand, coalesce(sum(held_delta), 0)::int AS held,
                  count(*)::int AS version
             FROM movements WHERE sku = $1) AS moved,
          (SELECT coalesce(sum(line.quantity), 0)::int AS units
             FROM (SELECT lines FROM holds WHERE state = 'HELD' UNION ALL SELECT lines FROM cart_holds) AS held,
                  jsonb_to_recordset(held.lines) AS line (sku text, quantity int)
            WHERE line.sku = $1) AS live
    WHERE EXISTS (SELECT FROM differences WHERE check_name IN ('stock-ledger', 'stock-holds') AND subject = $1)`,
);

const OVERDUE_CARTS = sql(
  'stock_checks.overdue_carts',
  `SELECT cart_id, (extract(epoch FROM now() - expires_at) / 60)::int AS minutes FROM cart_holds
    WHERE expires_at < now() - interval '5 minutes' ORDER BY expires_at LIMIT $1`,
);

const COUNT_CART_HOLDS = sql('stock_checks.count_cart_holds', 'SELECT count(*)::int AS count FROM cart_holds');

interface LedgerDifference {
  sku: string;
  on_hand: number;
  held: number;
  version: number;
  moved_on_hand: number;
  moved_held: number;
  moved_version: number;
}

/** All checks of this service. */
export function stockChecks(database: Database): Check[] {
  return [ledgerCheck(database), heldCheck(database), cartHoldsCheck(database)];
}

/** The movements of a SKU sum to its counters, and its version is their number. */
function ledgerCheck(database: Database): Check {
  return {
    name: 'stock-ledger',
    run: () =>
      bySku(database, async (range) => {
        const rows = await database.query<LedgerDifference>(LEDGER_DIFFERENCES, range);
        return rows.map((row) => ({
          subject: row.sku,
          detail:
            `The counters say ${row.on_hand} on hand, ${row.held} held, version ${row.version}; ` +
            `the movements say ${row.moved_on_hand}, ${row.moved_held}, ${row.moved_version}.`,
          mend: countAnew(row.sku),
        }));
      }),
  };
}

/** What is held of a SKU is what orders and carts hold of it. */
function heldCheck(database: Database): Check {
  return {
    name: 'stock-holds',
    run: () =>
      bySku(database, async (range) => {
        const rows = await database.query<{ sku: string; held: number; units: number }>(HELD_DIFFERENCES, range);
        return rows.map(({ sku, held, units }) => ({
          subject: sku,
          detail: `The counter says ${held} held; orders and carts hold ${units}.`,
          mend: countAnew(sku),
        }));
      }),
  };
}

/** No cart holds anything long after its time. */
function cartHoldsCheck(database: Database): Check {
  return {
    name: 'cart-holds',
    run: async () => {
      const [counted] = await database.query<{ count: number }>(COUNT_CART_HOLDS);
      const rows = await database.query<{ cart_id: string; minutes: number }>(OVERDUE_CARTS, [MOST_FINDINGS]);
      const findings = rows.map(({ cart_id, minutes }) => ({
        subject: cart_id,
        detail: `Its time was up ${minutes} minutes ago, and nobody has set free what it holds.`,
        mend: 'Restart inventory: its sweeper is not at work. Nothing is oversold or refused meanwhile.',
      }));
      return { compared: counted?.count ?? 0, findings };
    },
  };
}

/** Compares all SKUs, page by page; each page also sees what is told of SKUs that have no stock. */
async function bySku(
  database: Database,
  compare: (range: [after: string, last: string]) => Promise<Finding[]>,
): ReturnType<Check['run']> {
  const findings: Finding[] = [];
  let compared = 0;
  for (let after = ''; after !== END && findings.length < MOST_FINDINGS;) {
    const skus = await database.query<{ sku: string }>(SKUS_AFTER, [after, PAGE]);
    const last = skus.length < PAGE ? END : (skus.at(-1)?.sku ?? END);
    findings.push(...(await compare([after, last])));
    compared += skus.length;
    after = last;
  }
  return { compared, findings: findings.slice(0, MOST_FINDINGS) };
}

function countAnew(sku: string): string {
  return `Count the units of ${sku}, then npm run shop -- stock ${shellWord(sku)} --set <units>`;
}

/** A SKU may hold anything that can be printed, also what a shell would act on. */
function shellWord(text: string): string {
  return /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
