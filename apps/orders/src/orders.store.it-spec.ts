import { testDatabase, type TestDatabase } from '@souk/testing';
import { sql, uuidv7 } from '@souk/postgres';
import { ANY_TIME } from '../test/order-builder.js';
import { placed, placement } from '../test/placements.js';
import { newCart, setLine, type Cart } from './domain/cart.js';
import { CartsStore } from './carts.store.js';
import { ClaimsStore } from './claims.store.js';
import { cancelOrder, confirmOrder, fulfillOrder, rejectOrder } from './domain/order.js';
import { orderNotCancellable } from './domain/order-errors.js';
import { paymentDeclined } from './domain/rejections.js';
import { OrdersStore, type Updated } from './orders.store.js';
import { SagasStore, type SagaTask } from './sagas.store.js';

const LEASE = { leaseMs: 60_000, sagaVersion: 1 };
const EVENTS = sql('test.events', `SELECT type, aggregate_id FROM outbox ORDER BY sequence`);
const COUNT_EVENTS = sql('test.count-events', `SELECT count(*)::int AS count FROM outbox WHERE aggregate_id = $1`);
const COUNT_ORDERS = sql('test.count-orders', `SELECT count(*)::int AS count FROM orders WHERE customer_id = $1`);

let postgres: TestDatabase;
let store: OrdersStore;
let carts: CartsStore;
let claims: ClaimsStore;
let sagas: SagasStore;
let commits = 0;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/orders/migrations' });
  store = new OrdersStore(postgres.database, { ...LEASE, onCommitted: () => commits++ });
  carts = new CartsStore(postgres.database);
  claims = new ClaimsStore(postgres.database);
  sagas = new SagasStore(postgres.database, LEASE);
});
afterAll(() => postgres.drop());

async function confirmed(): Promise<SagaTask> {
  const { order, epoch } = await placed(store);
  const change = confirmOrder(order, [], ANY_TIME);
  await store.saveStep(change, epoch);
  return { order: change.order, epoch, failures: 0, faults: 0 };
}

async function aCart(customerId?: string, sku = 'LAMP-BRASS'): Promise<Cart> {
  const cart = setLine(newCart(uuidv7(), customerId, ANY_TIME), sku, 1, ANY_TIME);
  await carts.insert(cart);
  return cart;
}

describe('writing an order', () => {
  it('reads back what was written, with its event', async () => {
    const { order } = await placed(store);
    expect(await store.get(order.orderId)).toEqual(order);
    const events = await postgres.database.query<{ type: string; aggregate_id: string }>(EVENTS);
    expect(events).toContainEqual({ type: 'souk.orders.v1.OrderPlaced', aggregate_id: order.orderId });
  });

  it('happens once for fifty requests with one key at once (F1, F5)', async () => {
    const claim = { key: 'the-same-key' };
    const replica = new OrdersStore(postgres.database, { ...LEASE, onCommitted: () => undefined });
    const requests = Array.from({ length: 50 }, (_, n) => (n % 2 ? store : replica).insert(placement({}, claim)));
    const tasks = await Promise.all(requests);
    expect(tasks.filter(Boolean)).toHaveLength(1);
    const found = await claims.find(placement({}, claim).claim);
    expect(found?.orderId).toBe(tasks.find(Boolean)?.order.orderId);
  });

  it('keeps the keys of different people apart', async () => {
    const claim = { key: 'shared-key' };
    expect(await store.insert(placement({}, { ...claim, principal: 'u1' }))).toBeDefined();
    expect(await store.insert(placement({}, { ...claim, principal: 'u2' }))).toBeDefined();
  });

  it('shares a transaction between orders that come together', async () => {
    const before = commits;
    await Promise.all(Array.from({ length: 100 }, () => placed(store)));
    expect(commits - before).toBeLessThan(10);
  });

  it('tells who asks for an order that is not there', async () => {
    await expect(store.get(uuidv7())).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
  });
});

describe('ordering a cart', () => {
  it('gives one order for two tabs, and lets the cart be ordered again after a refusal (F7)', async () => {
    const cart = await aCart();
    const tab = () => ({ ...placement({ cartId: cart.cartId }), cartVersion: cart.version });
    const tasks = await Promise.all([store.insert(tab()), store.insert(tab())]);
    const [winner] = tasks.filter(Boolean) as [SagaTask];
    expect(tasks.filter(Boolean)).toHaveLength(1);
    expect((await carts.get(cart.cartId)).orderId).toBe(winner.order.orderId);
    await expect(carts.update(cart.cartId, (c) => setLine(c, 'MORE', 1, ANY_TIME))).rejects.toMatchObject({
      reason: 'CART_ORDERED',
    });
    const declined = rejectOrder(winner.order, paymentDeclined('expired_card'), [], ANY_TIME);
    await store.saveStep(declined, winner.epoch);
    expect(await store.insert(tab())).toBeDefined();
  });

  it('does not order what the cart no longer holds (F9)', async () => {
    const cart = await aCart();
    await carts.update(cart.cartId, (present) => setLine(present, 'LAMP-BRASS', 2, ANY_TIME));
    expect(await store.insert({ ...placement({ cartId: cart.cartId }), cartVersion: cart.version })).toBeUndefined();
  });
});

describe('a customer with several carts', () => {
  it('has one order of the same lines under way at a time, also when ten come at once (F8)', async () => {
    const customerId = uuidv7();
    const attempts = Array.from({ length: 10 }, () => store.insert(placement({ customerId, cartId: uuidv7() })));
    const tasks = (await Promise.all(attempts)).filter((task) => task !== undefined);
    expect(tasks).toHaveLength(1);
    expect(await postgres.database.query(COUNT_ORDERS, [customerId])).toEqual([{ count: 1 }]);
    const [first] = tasks as [SagaTask];
    const again = placement({ customerId, cartId: uuidv7() });
    expect(await claims.findTwin(again.change.order)).toBe(first.order.orderId);
  });

  it('may order the same lines again once the first order is settled or called off', async () => {
    const customerId = uuidv7();
    const attempt = () => store.insert(placement({ customerId, cartId: uuidv7() }));
    const first = (await attempt()) as SagaTask;
    await store.saveStep(confirmOrder(first.order, [], ANY_TIME), first.epoch);
    const second = (await attempt()) as SagaTask;
    await store.update(second.order.orderId, (order) => cancelOrder(order, ANY_TIME));
    expect(await attempt()).toBeDefined();
  });

  it('orders twice what he names twice without a cart, and so do two guests', async () => {
    const customerId = uuidv7();
    const both = [placement({ customerId }), placement({ customerId })];
    const guests = [placement({ cartId: uuidv7() }), placement({ cartId: uuidv7() })];
    const tasks = await Promise.all([...both, ...guests].map((each) => store.insert(each)));
    expect(tasks.filter(Boolean)).toHaveLength(4);
    expect(await claims.findTwin(placement({ customerId }).change.order)).toBeUndefined();
  });
});

describe('a key that was answered with the order of another one', () => {
  it('has that order for ever, and so has its cart (F8)', async () => {
    const customerId = uuidv7();
    const first = await placed(store, { customerId, cartId: uuidv7() });
    const cart = await aCart(customerId);
    const retry = placement({ customerId, cartId: cart.cartId });
    expect(await claims.addAlias(first.order.orderId, retry.claim, cart.cartId)).toBe(true);
    await store.saveStep(confirmOrder(first.order, [], ANY_TIME), first.epoch);
    expect(await store.insert({ ...retry, cartVersion: cart.version })).toBeUndefined();
    expect(await store.insert(retry)).toBeUndefined();
    expect(await claims.find(retry.claim)).toEqual({ orderId: first.order.orderId, fingerprint: 'f' });
    expect((await carts.get(cart.cartId)).orderId).toBe(first.order.orderId);
  });

  it('is not answered with an order that was refused, nor where it has an order of its own', async () => {
    const cart = await aCart();
    const { order, epoch } = await placed(store);
    const taken = placement();
    await store.insert(taken);
    expect(await claims.addAlias(order.orderId, taken.claim, cart.cartId)).toBe(false);
    await store.saveStep(rejectOrder(order, paymentDeclined('expired_card'), [], ANY_TIME), epoch);
    expect(await claims.addAlias(order.orderId, placement().claim, cart.cartId)).toBe(false);
    expect((await carts.get(cart.cartId)).orderId).toBeUndefined();
  });
});

describe('changing an order', () => {
  it('gives the undoing of a confirmed order to who cancelled it', async () => {
    const { order, epoch } = await confirmed();
    const { task } = await store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(task).toMatchObject({ epoch: epoch + 1, order: { state: 'CANCELLED', phase: 'UNDO' } });
    expect(await sagas.claimDue(100)).toEqual([]);
  });

  it('loses no change where many come at once', async () => {
    const { order } = await confirmed();
    const outcomes = await Promise.allSettled([
      store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME)),
      store.update(order.orderId, (present) => fulfillOrder(present, '', ANY_TIME)),
    ]);
    const winners = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await store.get(order.orderId)).toMatchObject({ version: 3 });
  });
});

describe('changing an order with a key', () => {
  const claimOf = (key: string, fingerprint = 'f') => ({ principal: 'u1', operation: 'CancelOrder', key, fingerprint });

  it('happens once for fifty at once, and gives one of them the undoing (F1, F5)', async () => {
    const { order } = await confirmed();
    const fn = (present: typeof order) => cancelOrder(present, ANY_TIME);
    const all = Array.from({ length: 50 }, () => store.update(order.orderId, fn, claimOf(order.number)));
    const answers = await Promise.all(all);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(answers.filter(({ task }: Updated) => task)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.order.state))).toEqual(new Set(['CANCELLED']));
    // Confirmed, cancelled: two facts of an order that was placed.
    expect(await postgres.database.query(COUNT_EVENTS, [order.orderId])).toEqual([{ count: 3 }]);
  });

  it('is refused for another request (F4)', async () => {
    const { order } = await confirmed();
    const fn = (present: typeof order) => cancelOrder(present, ANY_TIME);
    await store.update(order.orderId, fn, claimOf(order.number));
    await expect(store.update(order.orderId, fn, claimOf(order.number, 'g'))).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  it('keeps a refusal as its answer, though the order has changed since', async () => {
    const { order } = await confirmed();
    const refuse = () => {
      throw orderNotCancellable('FULFILLED');
    };
    const refused = { reason: 'ORDER_NOT_CANCELLABLE' };
    await expect(store.update(order.orderId, refuse, claimOf(order.number))).rejects.toMatchObject(refused);
    const now = store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME), claimOf(order.number));
    await expect(now).rejects.toMatchObject(refused);
    expect((await store.get(order.orderId)).state).toBe('CONFIRMED');
  });

  it('keeps nothing of a call that died in the middle: the next one does the work (F12)', async () => {
    const { order } = await confirmed();
    const die = () => {
      throw new Error('killed');
    };
    await expect(store.update(order.orderId, die, claimOf(order.number))).rejects.toThrow('killed');
    const again = store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME), claimOf(order.number));
    expect(await again).toMatchObject({ replayed: false, order: { state: 'CANCELLED' } });
  });

  it('waits for a saga that writes at the same time, and overwrites nothing', async () => {
    const { order, epoch } = await placed(store);
    const fn = (present: typeof order) => cancelOrder(present, ANY_TIME);
    const [, saved] = await Promise.all([
      store.update(order.orderId, fn, claimOf(order.number)),
      store.saveStep(confirmOrder(order, [], ANY_TIME), epoch),
    ]);
    const present = await store.get(order.orderId);
    expect(present.version).toBe(saved ? 3 : 2);
    expect(present).toMatchObject(saved ? { state: 'CANCELLED' } : { state: 'PENDING', cancelRequested: true });
  });
});

describe('listing orders', () => {
  it('shows the newest first, page by page, and to a customer his own', async () => {
    const customerId = uuidv7();
    const tasks: SagaTask[] = [];
    for (let n = 0; n < 3; n++) tasks.push(await placed(store, { customerId }));
    const ids = tasks.map(({ order }) => order.orderId).reverse();
    const first = await store.list({ customerId, limit: 2 });
    expect(first.map(({ orderId }) => orderId)).toEqual(ids.slice(0, 2));
    const second = await store.list({ customerId, limit: 2, before: ids[1] });
    expect(second.map(({ orderId }) => orderId)).toEqual(ids.slice(2));
    expect(await store.list({ customerId, state: 'CONFIRMED', limit: 2 })).toEqual([]);
    expect((await store.list({ limit: 100 })).length).toBeGreaterThan(100 - 1);
  });
});
