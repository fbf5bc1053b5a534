import { Database, sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { randomUUID } from 'node:crypto';
import { inFlight, storeOn, tally, TestStock } from '../test/test-stock.js';
import { watched } from '../test/watched-database.js';

const FULL_READS = sql(
  'test.full_reads',
  `SELECT relname, seq_scan::int AS reads, idx_scan::int > 0 AS used FROM pg_stat_user_tables
    WHERE relname IN ('cart_holds', 'holds', 'stock') ORDER BY relname`,
);
const COUNT_HOLDS = sql('test.count_holds', 'SELECT count(*)::int AS count FROM holds');

let stock: TestStock;

beforeEach(async () => {
  stock = await TestStock.create();
});

afterEach(() => stock.close());

describe('many buyers at once', () => {
  it('sells the last unit to one of 100, through two replicas (F28)', async () => {
    await stock.open('LAST', 1);
    const buyers = Array.from({ length: 100 }, (_, buyer) =>
      stock.holdOne('LAST', 1, randomUUID(), stock.replicas[buyer % 2]),
    );
    expect(tally(await Promise.all(buyers))).toEqual({ HELD: 1, REFUSED: 99 });
    expect(await stock.stockOf('LAST')).toEqual({ sku: 'LAST', onHand: 1, held: 1, version: 2 });
  });

  it('sells exactly 200 units to 500 buyers, 64 at a time', async () => {
    await stock.open('HOT', 200);
    const tasks = Array.from({ length: 500 }, () => () => stock.holdOne('HOT'));
    expect(tally(await inFlight(64, tasks))).toEqual({ HELD: 200, REFUSED: 300 });
    expect(await stock.stockOf('HOT')).toMatchObject({ onHand: 200, held: 200 });
  });

  it('locks a SKU that 500 buyers want at once a few times, and not once for each (F38)', async () => {
    await stock.open('HOT', 200);
    const names: string[] = [];
    const replicas = [1, 2].map(() => storeOn(watched(stock.database, names)));
    const buyers = Array.from({ length: 500 }, (_, n) => stock.holdOne('HOT', 1, randomUUID(), replicas[n % 2]));
    expect(tally(await Promise.all(buyers))).toEqual({ HELD: 200, REFUSED: 300 });
    expect(names.filter((name) => name === 'stock.lock').length).toBeLessThan(10);
  });

  it('holds and releases carts of opposite order through two replicas without a deadlock (F37)', async () => {
    const skus = ['A', 'B', 'C', 'D'];
    for (const sku of skus) await stock.open(sku, 30);
    const tasks = Array.from({ length: 200 }, (_, buyer) => async () => {
      const lines = (buyer % 4 < 2 ? skus : skus.toReversed()).map((sku) => ({ sku, quantity: 1 }));
      const orderId = randomUUID();
      const hold = await stock.replicas[buyer % 2]!.hold(orderId, lines);
      if (buyer % 3 === 0) await stock.replicas[(buyer + 1) % 2]!.release(orderId);
      else if (buyer % 3 === 1 && hold.state === 'HELD') await stock.sell(orderId);
      return hold;
    });
    await inFlight(32, tasks);
    const levels = await stock.store.get(skus);
    expect(new Set(levels.map(({ onHand, held }) => `${onHand} ${held}`)).size).toBe(1);
  });

  it('gives one order one hold, however often and through whichever replica it is asked for (F3)', async () => {
    await stock.open('A', 50);
    const replicas = Array.from({ length: 4 }, () => storeOn(stock.database));
    const orders = Array.from({ length: 20 }, () => randomUUID());
    const asked = orders.flatMap((orderId) => replicas.map((replica) => stock.holdOne('A', 2, orderId, replica)));
    expect(tally(await Promise.all(asked))).toEqual({ HELD: 80 });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 50, held: 40 });
  });

  it('agrees on one end when a hold and its release arrive at two replicas at the same time (F24)', async () => {
    await stock.open('A', 1_000);
    const orders = Array.from({ length: 60 }, () => randomUUID());
    const [one, other] = stock.replicas;
    await Promise.all(orders.flatMap((id) => [stock.holdOne('A', 1, id, one), other.release(id)]));
    const ends = await Promise.all(orders.map((orderId) => stock.holdOne('A', 1, orderId)));
    expect(tally(ends)).toEqual({ RELEASED: 60 });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 1_000, held: 0 });
  });
});

describe('a hold', () => {
  it('sums two lines of one SKU before it looks (F29)', async () => {
    await stock.open('BUNDLE', 3);
    const line = { sku: 'BUNDLE', quantity: 2 };
    const hold = await stock.store.hold(randomUUID(), [line, line]);
    expect(hold).toMatchObject({ state: 'REFUSED', shortages: [{ sku: 'BUNDLE', requested: 4, available: 3 }] });
  });

  it('gives its first answer again, also after the stock has changed (F22)', async () => {
    await stock.open('A', 1);
    const [held, refused] = [randomUUID(), randomUUID()];
    expect((await stock.holdOne('A', 1, held)).state).toBe('HELD');
    const shortages = [{ sku: 'A', requested: 5, available: 0 }];
    expect(await stock.holdOne('A', 5, refused)).toMatchObject({ state: 'REFUSED', shortages });
    await stock.count('A', 100);
    expect((await stock.holdOne('A', 1, held)).state).toBe('HELD');
    expect(await stock.holdOne('A', 5, refused)).toMatchObject({ state: 'REFUSED', shortages });
    expect(await stock.stockOf('A')).toMatchObject({ held: 1 });
  });

  it('comes too late after its release (F24)', async () => {
    await stock.open('A', 1);
    const orderId = randomUUID();
    expect((await stock.store.release(orderId)).state).toBe('RELEASED');
    expect((await stock.holdOne('A', 1, orderId)).state).toBe('RELEASED');
    expect(await stock.stockOf('A')).toMatchObject({ held: 0, version: 1 });
  });

  it('is released once, however often that is asked of whichever replica (F31)', async () => {
    await stock.open('A', 2);
    const orderId = randomUUID();
    await stock.holdOne('A', 1, orderId);
    await stock.holdOne('A', 1);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => stock.replicas[n % 2]!.release(orderId)));
    expect(tally(answers)).toEqual({ RELEASED: 10 });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 2, held: 1 });
  });

  it('may be asked for and released in one go', async () => {
    await stock.open('A', 1);
    const orderId = randomUUID();
    const answers = [stock.holdOne('A', 1, orderId), stock.store.release(orderId), stock.holdOne('A')];
    expect((await Promise.all(answers)).map(({ state }) => state)).toEqual(['HELD', 'RELEASED', 'HELD']);
    expect(await stock.stockOf('A')).toMatchObject({ held: 1 });
  });

  it('is sold once, however often the event comes, and returns to the shelf once (F35, F57, F61)', async () => {
    await stock.open('A', 5);
    const orderId = randomUUID();
    await stock.holdOne('A', 2, orderId);
    await stock.sell(orderId, orderId);
    await Promise.all([stock.sell(orderId), stock.sell(orderId)]);
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 3, held: 0 });
    expect((await stock.holdOne('A', 2, orderId)).state).toBe('SOLD');
    await Promise.all([...stock.replicas, ...stock.replicas].map((replica) => replica.release(orderId)));
    await stock.sell(orderId);
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 5, held: 0 });
    const kinds = (await stock.store.movements('A', { limit: 10 })).map(({ kind }) => kind);
    expect(kinds).toEqual(['RETURNED', 'SOLD', 'HELD', 'OPENED']);
  });

  it('stays released when the order is confirmed afterwards (F32)', async () => {
    await stock.open('A', 5);
    const orderId = randomUUID();
    await stock.holdOne('A', 2, orderId);
    await stock.store.release(orderId);
    await stock.sell(orderId);
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 5, held: 0 });
  });

  it('ends one way where its sale and its release meet (F32)', async () => {
    await stock.open('A', 100);
    const orders = Array.from({ length: 40 }, () => randomUUID());
    for (const orderId of orders) await stock.holdOne('A', 1, orderId);
    const ends = orders.flatMap((orderId) => [stock.sell(orderId), stock.replicas[1].release(orderId)]);
    await Promise.all<unknown>(ends);
    // Released units and returned ones are on the shelf again, all the same.
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 100, held: 0 });
  });

  it('fails a sale that has none, and nothing of that transaction happens', async () => {
    await stock.open('A', 5);
    const orderId = randomUUID();
    await stock.holdOne('A', 2, orderId);
    await expect(stock.sell(orderId, randomUUID())).rejects.toMatchObject({ reason: 'NOTHING_HELD' });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 5, held: 2 });
  });

  it('of a SKU nobody knows is refused', async () => {
    const hold = await stock.holdOne('UNKNOWN');
    expect(hold).toMatchObject({ state: 'REFUSED', shortages: [{ sku: 'UNKNOWN', requested: 1, available: 0 }] });
  });
});

describe('opening stock', () => {
  it('leaves a SKU alone that is known', async () => {
    await stock.open('A', 5);
    await stock.open('A', 9);
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 5, version: 1 });
  });

  it('takes the first of two openings of one SKU', async () => {
    const openings = [5, 9].map((openingStock) => ({ sku: 'A', openingStock, cause: randomUUID() }));
    await stock.database.transaction((tx) => stock.store.open(tx, openings));
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 5 });
  });
});

describe('the holds that can be read', () => {
  it('are those of the orders that have one, as they are now', async () => {
    await stock.open('A', 5);
    const [held, released, none] = [randomUUID(), randomUUID(), randomUUID()];
    await stock.holdOne('A', 2, held);
    await stock.store.release(released);
    const holds = await stock.store.holdsOf([held, released, none]);
    expect(new Map(holds.map(({ order_id, state, lines }) => [order_id, { state, lines }]))).toEqual(
      new Map([
        [held, { state: 'HELD', lines: [{ sku: 'A', quantity: 2 }] }],
        [released, { state: 'RELEASED', lines: [] }],
      ]),
    );
  });

  it('are those that still hold units since before a moment, page by page', async () => {
    await stock.open('A', 5);
    for (const orderId of ['o1', 'o2', 'o3', 'o4']) await stock.holdOne('A', 1, orderId);
    await stock.sell('o2');
    const soon = new Date(Date.now() + 60_000);
    const orders = async (before: Date, after?: string) =>
      (await stock.store.held(before, { limit: 2, after })).map(({ order_id }) => order_id);
    expect(await orders(soon)).toEqual(['o1', 'o3']);
    expect(await orders(soon, 'o3')).toEqual(['o4']);
    expect(await orders(new Date(Date.now() - 60_000))).toEqual([]);
  });
});

describe('what the world is told', () => {
  it('is the last level of each SKU per transaction, and nothing where the level is the same', async () => {
    await stock.open('A', 10);
    const orders = [randomUUID(), randomUUID(), randomUUID()];
    await Promise.all(orders.map((orderId) => stock.holdOne('A', 2, orderId)));
    await stock.sell(...orders);
    await stock.holdOne('A', 100);
    expect(await stock.levelsSaid('A')).toEqual([10, 4]);
  });
});

it('writes a batch in the same number of statements, however large it is', async () => {
  const names: string[] = [];
  await stock.open('A', 500);
  const counted = storeOn(watched(stock.database, names));
  await Promise.all(Array.from({ length: 200 }, () => stock.holdOne('A', 1, randomUUID(), counted)));
  expect(names).toEqual(['stock.lock_holds', 'stock.lock', 'stock.write_decisions', 'outbox.append']);
  expect(await stock.database.query(COUNT_HOLDS)).toEqual([{ count: 200 }]);
});

it('never reads a whole table, not even when the plans were made on empty ones', async () => {
  await stock.count('A', 100);
  const database = Database.connect({ url: stock.postgres.url, name: 'fresh', poolSize: 1 });
  const fresh = storeOn(database);
  for (let round = 0; round < 10; round++) {
    const [orderId, cartId] = [randomUUID(), randomUUID()];
    await fresh.holdCart(cartId, [{ sku: 'A', quantity: 2 }], 60_000);
    await fresh.hold(orderId, [{ sku: 'A', quantity: 1 }], cartId);
    await stock.holdOne('A', 1_000, randomUUID(), fresh);
    if (round % 3 === 1) await database.transaction((tx) => fresh.sell(tx, [orderId]));
    if (round % 3 === 2) await fresh.release(orderId);
    await fresh.held(new Date(), { limit: 10 });
    await fresh.expireCarts(10);
  }
  // The statistics of a connection are complete when it has ended.
  await database.close();
  await eventually(async () => {
    expect(await stock.database.query(FULL_READS)).toEqual([
      { relname: 'cart_holds', reads: 0, used: true },
      { relname: 'holds', reads: 0, used: true },
      { relname: 'stock', reads: 0, used: true },
    ]);
  });
});
