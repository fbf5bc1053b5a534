import type { Finding } from '@souk/operations';
import { sql, type Statement } from '@souk/postgres';
import { inFlight, TestStock } from '../test/test-stock.js';
import { stockChecks } from './stock-checks.js';

const OPEN_MANY = sql(
  'test.open_many',
  `WITH opened AS (INSERT INTO stock SELECT 'S' || n, 1, 0, 1 FROM generate_series(1, $1::int) AS n)
   INSERT INTO movements (sku, kind, on_hand_delta, held_delta, cause)
   SELECT 'S' || n, 'OPENED', 1, 0, 'event-' || n FROM generate_series(1, $1::int) AS n`,
);
const LOSE_HELD_UNIT = sql('test.lose_held_unit', `UPDATE stock SET held = held - 1 WHERE sku = 'A'`);
const LOSE_SALE = sql('test.lose_sale', `DELETE FROM movements WHERE sku = 'A' AND kind = 'SOLD'`);
const LOSE_STOCK = sql('test.lose_stock', `DELETE FROM stock WHERE sku = 'A'`);
const LOSE_HOLD = sql('test.lose_hold', `DELETE FROM holds WHERE order_id = 'held'`);
const OVERDUE = sql('test.overdue', `UPDATE cart_holds SET expires_at = now() - interval '7 minutes'`);
const NOTE = sql(
  'test.note',
  `INSERT INTO differences (check_name, subject, detail, mend) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
);

let stock: TestStock;

beforeEach(async () => {
  stock = await TestStock.create();
});

afterEach(() => stock.close());

async function run(name: string) {
  return stockChecks(stock.database)
    .find((check) => check.name === name)!
    .run();
}

/** Runs all checks and keeps what they find, as the service does. */
async function findAll(): Promise<string[]> {
  const found: string[] = [];
  for (const check of stockChecks(stock.database)) {
    const { findings } = await check.run();
    for (const { subject, detail, mend } of findings) {
      await stock.database.query(NOTE, [check.name, subject, detail, mend]);
      found.push(`${check.name} ${subject}`);
    }
  }
  return found;
}

/** A SKU that was held, sold, set aside by a cart. */
async function busySku(): Promise<void> {
  await stock.open('A', 20);
  for (const orderId of ['held', 'sold', 'released']) await stock.holdOne('A', 3, orderId);
  await stock.sell('sold');
  await stock.store.release('released');
  await stock.store.holdCart('cart', [{ sku: 'A', quantity: 2 }], 60_000);
}

describe('the checks of stock', () => {
  it('find nothing while people buy', async () => {
    for (const sku of ['A', 'B']) await stock.open(sku, 500);
    const lines = ['A', 'B'].map((sku) => ({ sku, quantity: 1 }));
    const buyers = Array.from({ length: 200 }, (_, n) => async () => {
      await stock.replicas[n % 2]!.holdCart(`c${n}`, lines, 60_000);
      await stock.replicas[1].hold(`o${n}`, lines, `c${n}`);
      await (n % 3 ? stock.sell(`o${n}`) : stock.store.release(`o${n}`));
    });
    const looks = Array.from({ length: 15 }, () => findAll);
    const [found] = await Promise.all([inFlight(2, looks), inFlight(8, buyers)]);
    expect(found.flat()).toEqual([]);
  });

  it('compare every SKU, page by page', async () => {
    await stock.database.query(OPEN_MANY, [2_500]);
    expect(await run('stock-ledger')).toEqual({ compared: 2_500, findings: [] });
    expect(await run('stock-holds')).toEqual({ compared: 2_500, findings: [] });
  });

  it('say what differs and what mends it', async () => {
    await busySku();
    await stock.database.query(LOSE_HELD_UNIT);
    const mend = 'Count the units of A, then npm run shop -- stock A --set <units>';
    const ledger: Finding = {
      subject: 'A',
      detail: 'The counters say 17 on hand, 4 held, version 7; the movements say 17, 5, 7.',
      mend,
    };
    expect(await run('stock-ledger')).toEqual({ compared: 1, findings: [ledger] });
    const holds: Finding = { subject: 'A', detail: 'The counter says 4 held; orders and carts hold 5.', mend };
    expect(await run('stock-holds')).toEqual({ compared: 1, findings: [holds] });
    await findAll();
    await stock.count('A', 17);
  });

  it('tell of carts that nobody has swept', async () => {
    await busySku();
    expect(await run('cart-holds')).toEqual({ compared: 1, findings: [] });
    await stock.database.query(OVERDUE);
    const { findings } = await run('cart-holds');
    expect(findings).toMatchObject([{ subject: 'cart', detail: expect.stringContaining('7 minutes ago') }]);
  });
});

describe('a count of a SKU whose records disagree', () => {
  it.each<[string, Statement[], string[]]>([
    ['a held unit that was forgotten', [LOSE_HELD_UNIT], ['stock-ledger A', 'stock-holds A']],
    ['a sale that the ledger lost', [LOSE_SALE], ['stock-ledger A']],
    ['counters that were lost', [LOSE_STOCK], ['stock-ledger A', 'stock-holds A']],
    ['a hold that was lost', [LOSE_HOLD], ['stock-holds A']],
    ['all at once', [LOSE_HELD_UNIT, LOSE_SALE, LOSE_HOLD], ['stock-ledger A', 'stock-holds A']],
  ])('mends %s (F73)', async (_, faults, differences) => {
    await busySku();
    for (const fault of faults) await stock.database.query(fault);
    expect(await findAll()).toEqual(differences);
    const counted = await stock.count('A', 15);
    expect(counted.onHand).toBe(15);
    expect((await stock.stockOf('A'))?.version).toBeGreaterThan(7);
    expect(await findAll()).toEqual([]);
  });
});
