import { testDatabase, type TestDatabase } from '@souk/testing';
import { sql, uuidv7 } from '@souk/postgres';
import { ANY_TIME, newOrder } from '../test/order-builder.js';
import { newCart, setLine } from './domain/cart.js';
import { CartsStore } from './carts.store.js';
import { cancelOrder, confirmOrder, fulfillOrder, placeOrder, rejectOrder, type NewOrder } from './domain/order.js';
import { paymentDeclined } from './domain/rejections.js';
import { OrdersStore, type Placement, type SagaTask } from './orders.store.js';

const LEASE_MS = 60_000;
const EVENTS = sql('test.events', `SELECT type, aggregate_id FROM outbox ORDER BY sequence`);
const EXPIRE = sql('test.expire', `UPDATE orders SET saga_due_at = now() WHERE order_id = $1`);

let postgres: TestDatabase;
let store: OrdersStore;
let carts: CartsStore;
let commits = 0;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/orders/migrations' });
  store = new OrdersStore(postgres.database, LEASE_MS, () => commits++);
  carts = new CartsStore(postgres.database);
});
afterAll(() => postgres.drop());

let counter = 0;
function placement(change: Partial<NewOrder> = {}, claim: Partial<Placement['claim']> = {}): Placement {
  const number = `TEST-${String(++counter).padStart(4, '0')}`;
  return {
    change: placeOrder(newOrder({ orderId: uuidv7(), number, ...change }), ANY_TIME),
    claim: { principal: 'guest', key: number, fingerprint: 'f', ...claim },
  };
}

async function placed(change: Partial<NewOrder> = {}): Promise<SagaTask> {
  return (await store.insert(placement(change))) as SagaTask;
}

describe('writing an order', () => {
  it('reads back what was written, with its event', async () => {
    const { order } = await placed();
    expect(await store.get(order.orderId)).toEqual(order);
    const events = await postgres.database.query<{ type: string; aggregate_id: string }>(EVENTS);
    expect(events).toContainEqual({ type: 'souk.orders.v1.OrderPlaced', aggregate_id: order.orderId });
  });

  it('happens once for fifty requests with one key at once', async () => {
    const claim = { key: 'the-same-key' };
    const tasks = await Promise.all(Array.from({ length: 50 }, () => store.insert(placement({}, claim))));
    expect(tasks.filter(Boolean)).toHaveLength(1);
    const found = await store.findByClaim('guest', 'the-same-key');
    expect(found?.order.orderId).toBe(tasks.find(Boolean)?.order.orderId);
  });

  it('keeps the keys of different people apart', async () => {
    const claim = { key: 'shared-key' };
    expect(await store.insert(placement({}, { ...claim, principal: 'u1' }))).toBeDefined();
    expect(await store.insert(placement({}, { ...claim, principal: 'u2' }))).toBeDefined();
  });

  it('shares a transaction between orders that come together', async () => {
    const before = commits;
    await Promise.all(Array.from({ length: 100 }, () => placed()));
    expect(commits - before).toBeLessThan(10);
  });

  it('tells who asks for an order that is not there', async () => {
    await expect(store.get(uuidv7())).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
  });
});

describe('ordering a cart', () => {
  it('gives one order for two tabs, and lets the cart be ordered again after a refusal', async () => {
    const cart = setLine(newCart(uuidv7(), undefined, ANY_TIME), 'LAMP-BRASS', 1, ANY_TIME);
    await carts.insert(cart);
    const tab = () => ({ ...placement({ cartId: cart.cartId }), cartVersion: cart.version });
    const tasks = await Promise.all([store.insert(tab()), store.insert(tab())]);
    const [winner] = tasks.filter(Boolean) as [SagaTask];
    expect(tasks.filter(Boolean)).toHaveLength(1);
    expect((await store.findByCart(cart.cartId))?.orderId).toBe(winner.order.orderId);
    await expect(carts.update(cart.cartId, (c) => setLine(c, 'MORE', 1, ANY_TIME))).rejects.toMatchObject({
      reason: 'CART_ORDERED',
    });
    const declined = rejectOrder(winner.order, paymentDeclined('expired_card'), [], ANY_TIME);
    await store.saveStep(declined, winner.epoch);
    expect(await store.insert(tab())).toBeDefined();
  });

  it('does not order what the cart no longer holds', async () => {
    const cart = setLine(newCart(uuidv7(), undefined, ANY_TIME), 'LAMP-BRASS', 1, ANY_TIME);
    await carts.insert(cart);
    await carts.update(cart.cartId, (present) => setLine(present, 'LAMP-BRASS', 2, ANY_TIME));
    expect(await store.insert({ ...placement({ cartId: cart.cartId }), cartVersion: cart.version })).toBeUndefined();
  });
});

describe('a saga', () => {
  it('writes its end, with the event, and leaves nothing to take over', async () => {
    const { order, epoch } = await placed();
    expect(await store.saveStep(confirmOrder(order, [], ANY_TIME), epoch)).toBe(true);
    expect((await store.get(order.orderId)).state).toBe('CONFIRMED');
    await postgres.database.query(EXPIRE, [order.orderId]);
    expect(await store.claimDue(100)).toEqual([]);
  });

  it('is taken over by one of two when its lease has ended, and its old owner can no longer write', async () => {
    const { order, epoch } = await placed();
    expect(await store.claimDue(100)).toEqual([]);
    await postgres.database.query(EXPIRE, [order.orderId]);
    const taken = (await Promise.all([store.claimDue(100), store.claimDue(100)])).flat();
    expect(taken).toEqual([{ order, epoch: epoch + 1, failures: 0 }]);
    expect(await store.saveStep(confirmOrder(order, [], ANY_TIME), epoch)).toBe(false);
    expect(await store.saveStep(confirmOrder(order, [], ANY_TIME), epoch + 1)).toBe(true);
  });

  it('does not write over what it has not seen', async () => {
    const { order, epoch } = await placed();
    await store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(await store.saveStep(confirmOrder(order, [], ANY_TIME), epoch)).toBe(false);
    const present = await store.get(order.orderId);
    expect(await store.saveStep(confirmOrder(present, [], ANY_TIME), epoch)).toBe(true);
    expect((await store.get(order.orderId)).state).toBe('CANCELLED');
  });

  it('waits after a failure, and is left alone once it is parked', async () => {
    const task = await placed();
    await store.postpone(task, 0, 'no answer', false);
    const [again] = await store.claimDue(100);
    expect(again).toMatchObject({ epoch: task.epoch + 1, failures: 1 });
    await store.postpone(again as SagaTask, 0, 'a bug', true);
    expect(await store.claimDue(100)).toEqual([]);
    expect((await store.get(task.order.orderId)).phase).toBe('PARKED');
  });
});

describe('changing an order', () => {
  it('gives the undoing of a confirmed order to who cancelled it', async () => {
    const { order, epoch } = await placed();
    await store.saveStep(confirmOrder(order, [], ANY_TIME), epoch);
    const { task } = await store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(task).toMatchObject({ epoch: epoch + 1, order: { state: 'CANCELLED', phase: 'UNDO' } });
    expect(await store.claimDue(100)).toEqual([]);
  });

  it('loses no change where many come at once', async () => {
    const { order, epoch } = await placed();
    await store.saveStep(confirmOrder(order, [], ANY_TIME), epoch);
    const outcomes = await Promise.allSettled([
      store.update(order.orderId, (present) => cancelOrder(present, ANY_TIME)),
      store.update(order.orderId, (present) => fulfillOrder(present, '', ANY_TIME)),
    ]);
    const winners = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await store.get(order.orderId)).toMatchObject({ version: 3 });
  });
});

describe('listing orders', () => {
  it('shows the newest first, page by page, and to a customer his own', async () => {
    const customerId = uuidv7();
    const tasks: SagaTask[] = [];
    for (let n = 0; n < 3; n++) tasks.push(await placed({ customerId }));
    const ids = tasks.map(({ order }) => order.orderId).reverse();
    const first = await store.list({ customerId, limit: 2 });
    expect(first.map(({ orderId }) => orderId)).toEqual(ids.slice(0, 2));
    const second = await store.list({ customerId, limit: 2, before: ids[1] });
    expect(second.map(({ orderId }) => orderId)).toEqual(ids.slice(2));
    expect(await store.list({ customerId, state: 'CONFIRMED', limit: 2 })).toEqual([]);
    expect((await store.list({ limit: 100 })).length).toBeGreaterThan(100 - 1);
  });
});
