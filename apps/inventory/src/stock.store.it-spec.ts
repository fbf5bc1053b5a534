import { Database, sql } from '@souk/postgres';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import { randomUUID } from 'node:crypto';
import { ledgerDisagreements } from '../test/ledger.js';
import type { Hold } from './domain/hold.js';
import { StockStore } from './stock.store.js';

const EVENTS = sql('test.stock_events', 'SELECT aggregate_id, data FROM outbox ORDER BY sequence');
const FULL_READS = sql(
  'test.full_reads',
  `SELECT relname, seq_scan::int AS reads, idx_scan::int > 0 AS used FROM pg_stat_user_tables
    WHERE relname IN ('holds', 'stock') ORDER BY relname`,
);
const COUNT_HOLDS = sql('test.count_holds', 'SELECT count(*)::int AS count FROM holds');

let postgres: TestDatabase;
let store: StockStore;

beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'apps/inventory/migrations' });
  store = storeOn(postgres.database);
});

afterEach(async () => {
  expect(await ledgerDisagreements(postgres.database)).toEqual([]);
  await postgres.drop();
});

function storeOn(database: Database): StockStore {
  return new StockStore(database, { wake: () => undefined });
}

async function stockOf(sku: string) {
  return (await store.get([sku]))[0];
}

function holdOne(sku: string, quantity = 1, orderId: string = randomUUID(), replica = store): Promise<Hold> {
  return replica.hold(orderId, [{ sku, quantity }]);
}

function sell(...orderIds: string[]): Promise<void> {
  return postgres.database.transaction((tx) => store.sell(tx, orderIds));
}

function open(sku: string, openingStock: number): Promise<void> {
  return postgres.database.transaction((tx) => store.open(tx, [{ sku, openingStock, cause: randomUUID() }]));
}

function tally(holds: Hold[]): Record<string, number> {
  const states = holds.map(({ state }) => state);
  return Object.fromEntries([...new Set(states)].map((state) => [state, states.filter((s) => s === state).length]));
}

async function inFlight<T>(limit: number, tasks: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const queue = [...tasks];
  const worker = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) results.push(await task());
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

async function levelsSaid(sku: string): Promise<number[]> {
  const rows = await postgres.database.query<{ aggregate_id: string; data: string }>(EVENTS);
  const data = rows
    .filter((row) => row.aggregate_id === sku)
    .map((row) => JSON.parse(row.data) as { available?: number });
  return data.map(({ available }) => available ?? 0);
}

describe('many buyers at once', () => {
  it('sells the last unit to one of 100', async () => {
    await open('LAST', 1);
    const holds = await Promise.all(Array.from({ length: 100 }, () => holdOne('LAST')));
    expect(tally(holds)).toEqual({ HELD: 1, REFUSED: 99 });
    expect(await stockOf('LAST')).toEqual({ sku: 'LAST', onHand: 1, held: 1, version: 2 });
  });

  it('sells exactly 200 units to 500 buyers, 64 at a time', async () => {
    await open('HOT', 200);
    const tasks = Array.from({ length: 500 }, () => () => holdOne('HOT'));
    expect(tally(await inFlight(64, tasks))).toEqual({ HELD: 200, REFUSED: 300 });
    expect(await stockOf('HOT')).toMatchObject({ onHand: 200, held: 200 });
  });

  it('sells exactly 200 units also through two replicas', async () => {
    await open('HOT', 200);
    const replicas = [storeOn(postgres.database), storeOn(postgres.database)];
    const tasks = Array.from({ length: 500 }, (_, buyer) => () => holdOne('HOT', 1, randomUUID(), replicas[buyer % 2]));
    expect(tally(await inFlight(64, tasks))).toEqual({ HELD: 200, REFUSED: 300 });
  });

  it('holds and releases carts of opposite order through two replicas without a deadlock', async () => {
    const skus = ['A', 'B', 'C', 'D'];
    for (const sku of skus) await open(sku, 30);
    const replicas = [storeOn(postgres.database), storeOn(postgres.database)];
    const tasks = Array.from({ length: 200 }, (_, buyer) => async () => {
      const replica = replicas[buyer % 2]!;
      const lines = (buyer % 4 < 2 ? skus : skus.toReversed()).map((sku) => ({ sku, quantity: 1 }));
      const orderId = randomUUID();
      const hold = await replica.hold(orderId, lines);
      if (buyer % 3 === 0) await replicas[(buyer + 1) % 2]!.release(orderId);
      else if (buyer % 3 === 1 && hold.state === 'HELD') await sell(orderId);
      return hold;
    });
    await inFlight(32, tasks);
    const levels = await store.get(skus);
    expect(new Set(levels.map(({ onHand, held }) => `${onHand} ${held}`)).size).toBe(1);
  });

  it('gives one order one hold, however often and through whichever replica it is asked for', async () => {
    await open('A', 50);
    const replicas = Array.from({ length: 4 }, () => storeOn(postgres.database));
    const orders = Array.from({ length: 20 }, () => randomUUID());
    const asked = orders.flatMap((orderId) => replicas.map((replica) => holdOne('A', 2, orderId, replica)));
    expect(tally(await Promise.all(asked))).toEqual({ HELD: 80 });
    expect(await stockOf('A')).toMatchObject({ onHand: 50, held: 40 });
  });

  it('agrees on one end when a hold and its release arrive at two replicas at the same time', async () => {
    await open('A', 1_000);
    const replicas = [storeOn(postgres.database), storeOn(postgres.database)] as const;
    const orders = Array.from({ length: 60 }, () => randomUUID());
    await Promise.all(orders.flatMap((id) => [holdOne('A', 1, id, replicas[0]), replicas[1].release(id)]));
    const ends = await Promise.all(orders.map((orderId) => holdOne('A', 1, orderId)));
    expect(tally(ends)).toEqual({ RELEASED: 60 });
    expect(await stockOf('A')).toMatchObject({ onHand: 1_000, held: 0 });
  });
});

describe('a hold', () => {
  it('sums two lines of one SKU before it looks', async () => {
    await open('BUNDLE', 3);
    const lines = [
      { sku: 'BUNDLE', quantity: 2 },
      { sku: 'BUNDLE', quantity: 2 },
    ];
    const hold = await store.hold(randomUUID(), lines);
    expect(hold).toMatchObject({ state: 'REFUSED', shortages: [{ sku: 'BUNDLE', requested: 4, available: 3 }] });
  });

  it('gives its first answer again, also after the stock has changed', async () => {
    await open('A', 1);
    const [held, refused] = [randomUUID(), randomUUID()];
    expect((await holdOne('A', 1, held)).state).toBe('HELD');
    const shortages = [{ sku: 'A', requested: 5, available: 0 }];
    expect(await holdOne('A', 5, refused)).toMatchObject({ state: 'REFUSED', shortages });
    await store.count({ sku: 'A', onHand: 100 });
    expect((await holdOne('A', 1, held)).state).toBe('HELD');
    expect(await holdOne('A', 5, refused)).toMatchObject({ state: 'REFUSED', shortages });
    expect(await stockOf('A')).toMatchObject({ held: 1 });
  });

  it('comes too late after its release', async () => {
    await open('A', 1);
    const orderId = randomUUID();
    expect((await store.release(orderId)).state).toBe('RELEASED');
    expect((await holdOne('A', 1, orderId)).state).toBe('RELEASED');
    expect(await stockOf('A')).toMatchObject({ held: 0, version: 1 });
  });

  it('is released once, however often that is asked', async () => {
    await open('A', 2);
    const orderId = randomUUID();
    await holdOne('A', 1, orderId);
    await holdOne('A', 1);
    const answers = await Promise.all(Array.from({ length: 10 }, () => store.release(orderId)));
    expect(tally(answers)).toEqual({ RELEASED: 10 });
    expect(await stockOf('A')).toMatchObject({ onHand: 2, held: 1 });
  });

  it('may be asked for and released in one go', async () => {
    await open('A', 1);
    const orderId = randomUUID();
    const answers = await Promise.all([holdOne('A', 1, orderId), store.release(orderId), holdOne('A')]);
    expect(answers.map(({ state }) => state)).toEqual(['HELD', 'RELEASED', 'HELD']);
    expect(await stockOf('A')).toMatchObject({ held: 1 });
  });

  it('is sold once, and returns to the shelf when the order is cancelled', async () => {
    await open('A', 5);
    const orderId = randomUUID();
    await holdOne('A', 2, orderId);
    await sell(orderId, orderId);
    await sell(orderId);
    expect(await stockOf('A')).toMatchObject({ onHand: 3, held: 0 });
    expect((await holdOne('A', 2, orderId)).state).toBe('SOLD');
    await Promise.all([store.release(orderId), store.release(orderId)]);
    expect(await stockOf('A')).toMatchObject({ onHand: 5, held: 0 });
    const kinds = (await store.movements('A', { limit: 10 })).map(({ kind }) => kind);
    expect(kinds).toEqual(['RETURNED', 'SOLD', 'HELD', 'OPENED']);
  });

  it('stays released when the order is confirmed afterwards', async () => {
    await open('A', 5);
    const orderId = randomUUID();
    await holdOne('A', 2, orderId);
    await store.release(orderId);
    await sell(orderId);
    expect(await stockOf('A')).toMatchObject({ onHand: 5, held: 0 });
  });

  it('fails a sale that has none, and nothing of that transaction happens', async () => {
    await open('A', 5);
    const orderId = randomUUID();
    await holdOne('A', 2, orderId);
    await expect(sell(orderId, randomUUID())).rejects.toMatchObject({ reason: 'NOTHING_HELD' });
    expect(await stockOf('A')).toMatchObject({ onHand: 5, held: 2 });
  });

  it('of a SKU nobody knows is refused', async () => {
    const hold = await holdOne('UNKNOWN');
    expect(hold).toMatchObject({ state: 'REFUSED', shortages: [{ sku: 'UNKNOWN', requested: 1, available: 0 }] });
  });
});

describe('a count', () => {
  it('opens a SKU that nobody knows', async () => {
    expect(await store.count({ sku: 'NEW', onHand: 7 })).toEqual({ sku: 'NEW', onHand: 7, held: 0, version: 1 });
    expect(await levelsSaid('NEW')).toEqual([7]);
  });

  it('that is refused does not open the SKU', async () => {
    await expect(store.count({ sku: 'NEW', onHand: 7, expectedVersion: 3 })).rejects.toMatchObject({
      reason: 'VERSION_MISMATCH',
    });
    expect(await stockOf('NEW')).toBeUndefined();
  });

  it('is done once per key, also when it is sent many times at once', async () => {
    const counts = Array.from({ length: 10 }, () => store.count({ sku: 'A', onHand: 7, requestId: 'count-1' }));
    expect(new Set((await Promise.all(counts)).map(({ version }) => version))).toEqual(new Set([1]));
    await store.count({ sku: 'A', onHand: 3, requestId: 'count-2' });
    await store.count({ sku: 'A', onHand: 7, requestId: 'count-1' });
    expect(await stockOf('A')).toMatchObject({ onHand: 3, version: 2 });
  });

  it('that races holds is applied or refused, and never lost', async () => {
    await open('A', 100);
    const counts = Array.from({ length: 40 }, (_, index) => async () => {
      try {
        return await store.count({ sku: 'A', onHand: 20 + index });
      } catch (error) {
        return error as Error;
      }
    });
    const holds = Array.from({ length: 120 }, () => () => holdOne('A'));
    const [counted, held] = await Promise.all([inFlight(4, counts), inFlight(16, holds)]);
    const refusals = counted.filter((result) => result instanceof Error);
    refusals.forEach((error) => expect(error).toMatchObject({ reason: 'STOCK_BELOW_HELD' }));
    const stock = (await stockOf('A'))!;
    expect(stock.held).toBe(tally(held)['HELD']);
    expect(stock.version).toBe(1 + (40 - refusals.length) + stock.held);
  });
});

describe('opening stock', () => {
  it('leaves a SKU alone that is known', async () => {
    await open('A', 5);
    await open('A', 9);
    expect(await stockOf('A')).toMatchObject({ onHand: 5, version: 1 });
  });

  it('takes the first of two openings of one SKU', async () => {
    const openings = [5, 9].map((openingStock) => ({ sku: 'A', openingStock, cause: randomUUID() }));
    await postgres.database.transaction((tx) => store.open(tx, openings));
    expect(await stockOf('A')).toMatchObject({ onHand: 5 });
  });
});

describe('what the world is told', () => {
  it('is the last level of each SKU per transaction, and nothing where the level is the same', async () => {
    await open('A', 10);
    const orders = [randomUUID(), randomUUID(), randomUUID()];
    await Promise.all(orders.map((orderId) => holdOne('A', 2, orderId)));
    await sell(...orders);
    await holdOne('A', 100);
    expect(await levelsSaid('A')).toEqual([10, 4]);
  });
});

it('writes a batch in the same number of statements, however large it is', async () => {
  const names: string[] = [];
  const transaction: Database['transaction'] = (work) =>
    postgres.database.transaction((tx) => {
      const query: typeof tx.query = (statement, values) => {
        names.push(statement.name);
        return tx.query(statement, values);
      };
      return work({ inTransaction: true, query });
    });
  await open('A', 500);
  const counted = storeOn({ transaction } as Database);
  await Promise.all(Array.from({ length: 200 }, () => holdOne('A', 1, randomUUID(), counted)));
  expect(names).toEqual(['stock.lock_holds', 'stock.lock', 'stock.write_decisions', 'outbox.append']);
  expect(await postgres.database.query(COUNT_HOLDS)).toEqual([{ count: 200 }]);
});

it('never reads a whole table, not even when the plans were made on empty ones', async () => {
  const database = Database.connect({ url: postgres.url, name: 'fresh', poolSize: 1 });
  const fresh = storeOn(database);
  for (let round = 0; round < 10; round++) {
    const orderId = randomUUID();
    await fresh.count({ sku: 'A', onHand: 100 });
    await holdOne('A', 1, orderId, fresh);
    if (round % 3 === 1) await database.transaction((tx) => fresh.sell(tx, [orderId]));
    if (round % 3 === 2) await fresh.release(orderId);
  }
  // The statistics of a connection are complete when it has ended.
  await database.close();
  await eventually(async () => {
    expect(await postgres.database.query(FULL_READS)).toEqual([
      { relname: 'holds', reads: 0, used: true },
      { relname: 'stock', reads: 0, used: true },
    ]);
  });
});
