import { createLogger } from '@souk/telemetry';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { randomUUID } from 'node:crypto';
import { inFlight, storeOn, tally, TestStock } from '../test/test-stock.js';
import { watched } from '../test/watched-database.js';
import { CartSweeper } from './cart-sweeper.js';
import type { StockLine } from './domain/stock.js';

const EXPIRE = sql(
  'test.expire',
  `UPDATE cart_holds SET expires_at = now() - interval '1 hour' WHERE cart_id = ANY ($1)`,
);
const CART_HOLDS = sql('test.cart_holds', 'SELECT cart_id, lines FROM cart_holds ORDER BY cart_id');
const TIME_LEFT = sql(
  'test.time_left',
  'SELECT extract(epoch FROM expires_at - now())::float8 AS seconds FROM cart_holds WHERE cart_id = $1',
);

const MINUTE = 60_000;

let stock: TestStock;

beforeEach(async () => {
  stock = await TestStock.create();
});

afterEach(() => stock.close());

function units(quantity: number, sku = 'A'): StockLine[] {
  return [{ sku, quantity }];
}

async function holdCart(cartId: string, lines: StockLine[], replica = stock.store) {
  return replica.holdCart(cartId, lines, 15 * MINUTE);
}

/** As if the carts' time had been up for an hour, and nobody had looked. */
async function expire(...cartIds: string[]): Promise<void> {
  await stock.database.query(EXPIRE, [cartIds]);
}

async function cartsThatHold(): Promise<string[]> {
  return (await stock.database.query<{ cart_id: string }>(CART_HOLDS)).map(({ cart_id }) => cart_id);
}

describe('a cart', () => {
  it('holds all lines or none', async () => {
    await stock.open('A', 3);
    await stock.open('B', 1);
    expect(await holdCart('c1', [...units(1), ...units(1, 'B'), ...units(1)])).toMatchObject({ shortages: [] });
    expect(await holdCart('c2', [...units(1), ...units(1, 'B')])).toMatchObject({
      shortages: [{ sku: 'B', requested: 1, available: 0 }],
    });
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
    expect(await stock.levelsSaid('A')).toEqual([3, 1]);
  });

  it('holds what it asked for last, and may use what it held', async () => {
    await stock.open('A', 3);
    await stock.open('B', 1);
    await holdCart('c1', units(3));
    expect(await holdCart('c1', [...units(2), ...units(1, 'B')])).toMatchObject({ shortages: [] });
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
    expect(await holdCart('c1', units(4))).toMatchObject({ shortages: [{ requested: 4, available: 3 }] });
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
    expect(await stock.stockOf('B')).toMatchObject({ held: 1 });
  });

  it('has its time anew with each request, by the clock of the database (F26)', async () => {
    await stock.open('A', 3);
    await holdCart('c1', units(1));
    await expire('c1');
    const { cartHold } = await holdCart('c1', units(1));
    const [left] = await stock.database.query<{ seconds: number }>(TIME_LEFT, ['c1']);
    expect(left?.seconds).toBeGreaterThan(14 * 60);
    expect(left?.seconds).toBeLessThanOrEqual(15 * 60);
    expect(Math.abs(cartHold!.expiresAt.getTime() - Date.now() - 15 * MINUTE)).toBeLessThan(MINUTE);
    // The same lines: nothing moved.
    expect(await stock.stockOf('A')).toMatchObject({ held: 1, version: 2 });
  });

  it('gives back what it holds, once (F31)', async () => {
    await stock.open('A', 3);
    await holdCart('c1', units(2));
    await Promise.all(Array.from({ length: 8 }, (_, n) => stock.replicas[n % 2]!.releaseCart('c1')));
    await stock.store.releaseCart('never-held');
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 3, held: 0, version: 3 });
    expect(await cartsThatHold()).toEqual([]);
  });

  it('has one hold, however many requests reach two replicas at once', async () => {
    await stock.open('A', 10);
    const asked = Array.from({ length: 20 }, (_, n) => holdCart('c1', units(1 + (n % 4)), stock.replicas[n % 2]));
    const answers = await Promise.all(asked);
    expect(answers.every(({ shortages }) => shortages.length === 0)).toBe(true);
    expect((await stock.stockOf('A'))?.held).toBeLessThanOrEqual(4);
  });

  it('shares the last units with orders, and never holds more than there are (F28)', async () => {
    await stock.open('LAST', 10);
    const carts = Array.from({ length: 50 }, (_, n) => holdCart(`c${n}`, units(1, 'LAST'), stock.replicas[n % 2]));
    const orders = Array.from({ length: 50 }, (_, n) => stock.holdOne('LAST', 1, randomUUID(), stock.replicas[n % 2]));
    const held = (await Promise.all(carts)).filter(({ shortages }) => shortages.length === 0).length;
    expect(held + (tally(await Promise.all(orders))['HELD'] ?? 0)).toBe(10);
    expect(await stock.stockOf('LAST')).toMatchObject({ onHand: 10, held: 10 });
  });
});

describe('an order from a cart', () => {
  it('takes what the cart holds, though nothing else is left', async () => {
    await stock.open('A', 2);
    await holdCart('c1', units(2));
    expect((await stock.store.hold('o1', units(2), 'c1')).state).toBe('HELD');
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
    expect(await cartsThatHold()).toEqual([]);
    // What can be sold did not change on the way.
    expect(await stock.levelsSaid('A')).toEqual([2, 0]);
    const movements = await stock.store.movements('A', { limit: 9 });
    expect(movements.map(({ kind, held_delta }) => [kind, held_delta])).toEqual([
      ['HELD', 2],
      ['RELEASED', -2],
      ['HELD', 2],
      ['OPENED', 0],
    ]);
  });

  it('takes it also where its time is up but nobody swept (F30)', async () => {
    await stock.open('A', 2);
    await holdCart('c1', units(2));
    await expire('c1');
    expect((await stock.store.hold('o1', units(2), 'c1')).state).toBe('HELD');
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
  });

  it('is held like any other where the cart was swept (F30, F32)', async () => {
    await stock.open('A', 2);
    await holdCart('c1', units(2));
    await expire('c1');
    await stock.store.expireCarts(10);
    expect((await stock.store.hold('o1', units(2), 'c1')).state).toBe('HELD');
    await holdCart('c2', units(1));
    expect(await stock.store.hold('o2', units(1), 'c2')).toMatchObject({ state: 'REFUSED' });
  });

  it('that is refused leaves it with the cart', async () => {
    await stock.open('A', 2);
    await holdCart('c1', units(2));
    expect((await stock.store.hold('o1', units(3), 'c1')).shortages).toEqual([
      { sku: 'A', requested: 3, available: 2 },
    ]);
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
    expect((await stock.store.hold('o2', units(2), 'c1')).state).toBe('HELD');
  });

  it('meets the sweeper, and one of them ends what the cart holds (F30)', async () => {
    await stock.open('A', 40);
    const carts = Array.from({ length: 40 }, (_, n) => `c${n}`);
    for (const cartId of carts) await holdCart(cartId, units(1));
    await expire(...carts);
    const orders = carts.map((cartId) => () => stock.store.hold(`order-${cartId}`, units(1), cartId));
    const sweeps = Array.from({ length: 20 }, () => () => stock.replicas[1].expireCarts(3));
    const [held] = await Promise.all([inFlight(4, orders), inFlight(2, sweeps)]);
    expect(tally(held)).toEqual({ HELD: 40 });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 40, held: 40 });
  });
});

describe('a cart whose time is up', () => {
  it('costs no sale, though the sweeper has been dead for an hour (F36)', async () => {
    await stock.open('A', 1_200);
    await stock.open('B', 5);
    const carts = Array.from({ length: 1_200 }, (_, n) => `c${n}`);
    await inFlight(
      64,
      carts.map((cartId) => () => holdCart(cartId, units(1))),
    );
    await holdCart('other', units(5, 'B'));
    await expire(...carts, 'other');
    // More than are set free at a time, and more than one batch of buyers.
    expect((await stock.store.hold('o1', units(900))).state).toBe('HELD');
    const buyers = Array.from({ length: 300 }, (_, n) => stock.holdOne('A', 1, randomUUID(), stock.replicas[n % 2]));
    expect(tally(await Promise.all(buyers))).toEqual({ HELD: 300 });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 1_200, held: 1_200 });
    // Nobody wanted these.
    expect(await cartsThatHold()).toEqual(['other']);
    expect(await holdCart('c-new', units(5, 'B'))).toMatchObject({ shortages: [] });
  });

  it('is not looked for while nothing is short', async () => {
    await stock.open('A', 5);
    const names: string[] = [];
    const replica = storeOn(watched(stock.database, names));
    await holdCart('c1', units(1));
    await expire('c1');
    await stock.holdOne('A', 4, randomUUID(), replica);
    expect(names).toEqual(['stock.lock_holds', 'stock.lock', 'stock.write_decisions', 'outbox.append']);
    expect((await stock.holdOne('A', 1, randomUUID(), replica)).state).toBe('HELD');
  });

  it('does not keep an order from being refused that would be short all the same', async () => {
    await stock.open('A', 5);
    await holdCart('c1', units(1));
    await holdCart('c2', units(1));
    await expire('c1');
    expect(await stock.holdOne('A', 5)).toMatchObject({ shortages: [{ requested: 5, available: 4 }] });
    expect(await cartsThatHold()).toEqual(['c2']);
  });

  it('is swept by one of several replicas, a batch at a time', async () => {
    await stock.open('A', 50);
    const carts = Array.from({ length: 50 }, (_, n) => `c${n}`);
    for (const cartId of carts) await holdCart(cartId, units(1));
    await holdCart('c0', units(1));
    await expire(...carts.slice(1));
    const sweeps = Array.from({ length: 12 }, (_, n) => stock.replicas[n % 2]!.expireCarts(10));
    const swept = await Promise.all(sweeps);
    while ((await stock.store.expireCarts(10)) > 0);
    expect(Math.max(...swept)).toBeLessThanOrEqual(10);
    expect(await cartsThatHold()).toEqual(['c0']);
    expect(await stock.stockOf('A')).toMatchObject({ held: 1, version: 1 + 50 + 49 });
    expect((await stock.levelsSaid('A')).at(-1)).toBe(49);
  });

  it('is swept by itself', async () => {
    await stock.open('A', 2);
    const sweeper = new CartSweeper(stock.store, createLogger('test'));
    sweeper.onApplicationBootstrap();
    await stock.store.holdCart('c1', units(2), 1_000);
    expect(await stock.stockOf('A')).toMatchObject({ held: 2 });
    await eventually(async () => expect(await stock.stockOf('A')).toMatchObject({ held: 0 }), { timeoutMs: 15_000 });
    await sweeper.onModuleDestroy();
  });
});

it('lets carts, orders, sales, sweeps and corrections of opposite order meet without a deadlock (F37)', async () => {
  const skus = ['A', 'B', 'C', 'D'];
  for (const sku of skus) await stock.open(sku, 25);
  const tasks = Array.from({ length: 400 }, (_, n) => async () => {
    const replica = stock.replicas[n % 2]!;
    const cartId = `c${n % 17}`;
    const lines = (n % 4 < 2 ? skus : skus.toReversed()).slice(n % 3).map((sku) => ({ sku, quantity: 1 }));
    const { shortages } = await replica.holdCart(cartId, lines, 1_000);
    if (n % 5 === 0) await expire(cartId);
    if (n % 7 === 0) await stock.replicas[(n + 1) % 2]!.expireCarts(5);
    if (n % 3 === 0) {
      const { state } = await replica.hold(`o${n}`, lines.toReversed(), cartId);
      if (state === 'HELD') await (n % 2 ? stock.sell(`o${n}`) : stock.replicas[1].release(`o${n}`));
    } else if (shortages.length === 0 && n % 4 === 0) await replica.releaseCart(cartId);
    if (n % 11 === 0) await stock.adjust(skus[n % 4]!, 2);
  });
  await inFlight(24, tasks);
});
