import { sql } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { ANY_TIME } from '../test/order-builder.js';
import { placed, placement } from '../test/placements.js';
import { cancelOrder, confirmOrder, rejectOrder } from './domain/order.js';
import { paymentDeclined } from './domain/rejections.js';
import { OrdersStore } from './orders.store.js';
import { SagasStore, type SagaTask } from './sagas.store.js';

const LEASE = { leaseMs: 60_000, sagaVersion: 1 };
const NOW = { delayMs: 0, error: 'no answer', fault: false, park: false };
const EXPIRE = sql('test.expire', `UPDATE orders SET saga_due_at = now() WHERE order_id = $1`);
const AGE = sql('test.age', `UPDATE orders SET updated_at = now() - $2 * interval '1 s' WHERE order_id = $1`);
const DUE_IN = sql(
  'test.due-in',
  `SELECT extract(epoch FROM saga_due_at - now())::float8 AS seconds FROM orders WHERE order_id = $1`,
);

let postgres: TestDatabase;
let orders: OrdersStore;
let sagas: SagasStore;
let newerOrders: OrdersStore;
let newerSagas: SagasStore;

beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'apps/orders/migrations' });
  const newer = { ...LEASE, sagaVersion: 2 };
  orders = new OrdersStore(postgres.database, { ...LEASE, onCommitted: () => undefined });
  sagas = new SagasStore(postgres.database, LEASE);
  newerOrders = new OrdersStore(postgres.database, { ...newer, onCommitted: () => undefined });
  newerSagas = new SagasStore(postgres.database, newer);
});
afterEach(async () => {
  jest.useRealTimers();
  await postgres.drop();
});

const expire = (orderId: string) => postgres.database.query(EXPIRE, [orderId]);

async function dueIn(orderId: string): Promise<number> {
  const [row] = await postgres.database.query<{ seconds: number }>(DUE_IN, [orderId]);
  return row?.seconds ?? NaN;
}

/** As if the clock of this process, but not that of the database, were wrong. */
function moveClock(byMs: number): void {
  jest.useFakeTimers({
    now: Date.now() + byMs,
    doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask'],
  });
}

async function parked(): Promise<SagaTask> {
  const task = await placed(orders);
  await sagas.postpone(task, { ...NOW, error: 'a bug', fault: true, park: true });
  return task;
}

describe('a saga', () => {
  it('writes its end, with the event, and leaves nothing to take over', async () => {
    const { order, epoch } = await placed(orders);
    expect(await orders.saveStep(confirmOrder(order, [], ANY_TIME), epoch)).toBe(true);
    expect((await orders.get(order.orderId)).state).toBe('CONFIRMED');
    await expire(order.orderId);
    expect(await sagas.claimDue(100)).toEqual([]);
  });

  it('is taken over by one of two when its lease has ended, and its old owner can no longer write (F20, F25)', async () => {
    const { order, epoch } = await placed(orders);
    expect(await sagas.claimDue(100)).toEqual([]);
    await expire(order.orderId);
    const taken = (await Promise.all([sagas.claimDue(100), sagas.claimDue(100)])).flat();
    expect(taken).toEqual([{ order, epoch: epoch + 1, failures: 0, faults: 0 }]);
    await sagas.postpone({ order, epoch, failures: 0, faults: 0 }, { ...NOW, park: true });
    expect(await orders.saveStep(confirmOrder(order, [], ANY_TIME), epoch)).toBe(false);
    expect(await orders.saveStep(confirmOrder(order, [], ANY_TIME), epoch + 1)).toBe(true);
  });

  it('does not write over what it has not seen', async () => {
    const { order, epoch } = await placed(orders);
    await orders.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(await orders.saveStep(confirmOrder(order, [], ANY_TIME), epoch)).toBe(false);
    const present = await orders.get(order.orderId);
    expect(await orders.saveStep(confirmOrder(present, [], ANY_TIME), epoch)).toBe(true);
    expect((await orders.get(order.orderId)).state).toBe('CANCELLED');
  });

  it('waits after a failure, and counts those of its own apart', async () => {
    const task = await placed(orders);
    await sagas.postpone(task, NOW);
    const [again] = (await sagas.claimDue(100)) as [SagaTask];
    expect(again).toMatchObject({ epoch: task.epoch + 1, failures: 1, faults: 0 });
    await sagas.postpone(again, { ...NOW, fault: true });
    expect(await sagas.claimDue(100)).toMatchObject([{ failures: 2, faults: 1 }]);
  });
});

describe('the clock of a process', () => {
  it.each([
    ['ahead', 24 * 3_600_000],
    ['behind', -24 * 3_600_000],
  ])('does not move leases when it is a day %s (F26)', async (_, byMs) => {
    moveClock(byMs);
    const { order, epoch } = await placed(orders);
    expect(await dueIn(order.orderId)).toBeCloseTo(60, -1);
    expect(await sagas.claimDue(100)).toEqual([]);

    await orders.saveStep(confirmOrder(order, [], ANY_TIME), epoch);
    const { task } = await orders.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(await dueIn(order.orderId)).toBeCloseTo(60, -1);

    await sagas.postpone(task as SagaTask, { ...NOW, delayMs: 5_000 });
    expect(await dueIn(order.orderId)).toBeCloseTo(5, 0);
    await expire(order.orderId);
    expect(await sagas.claimDue(100)).toHaveLength(1);
    expect(await dueIn(order.orderId)).toBeCloseTo(60, -1);
  });
});

describe('two versions of the saga side by side', () => {
  it('leave the newer ones to the newer processes, which also run the older ones (F21)', async () => {
    const older = await placed(orders);
    const newer = await placed(newerOrders);
    await Promise.all([older, newer].map(({ order }) => expire(order.orderId)));
    expect((await sagas.claimDue(100)).map(({ order }) => order.orderId)).toEqual([older.order.orderId]);
    await expire(older.order.orderId);
    const all = (await newerSagas.claimDue(100)).map(({ order }) => order.orderId);
    expect(all.sort()).toEqual([older.order.orderId, newer.order.orderId].sort());
  });

  it('leave the undoing of a newer order to the newer processes, whoever cancels it (F21)', async () => {
    const { order, epoch } = await placed(newerOrders);
    await newerOrders.saveStep(confirmOrder(order, [], ANY_TIME), epoch);
    const { task } = await orders.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(task).toBeUndefined();
    await expire(order.orderId);
    expect(await sagas.claimDue(100)).toEqual([]);
    expect(await newerSagas.claimDue(100)).toHaveLength(1);
  });
});

describe('a parked saga', () => {
  it('keeps what it was about to do, is counted and listed, and is left alone (F27)', async () => {
    const { order } = await parked();
    const undoing = await placed(orders);
    const { order: rejected, events } = rejectOrder(undoing.order, paymentDeclined('expired_card'), [], ANY_TIME);
    await orders.saveStep({ order: rejected, events }, undoing.epoch);
    await sagas.postpone({ ...undoing, order: rejected }, { ...NOW, error: 'no such hold', fault: true, park: true });
    expect(await sagas.claimDue(100)).toEqual([]);
    expect((await orders.get(order.orderId)).phase).toBe('CHECKOUT');
    expect((await orders.get(rejected.orderId)).phase).toBe('UNDO');
    expect(await sagas.backlog()).toEqual({ parked: 2, oldest: 0 });
    expect(await sagas.listParked(10)).toMatchObject([
      { order: { orderId: order.orderId }, failures: 1, error: 'a bug' },
      { order: { orderId: rejected.orderId }, failures: 1, error: 'no such hold' },
    ]);
    expect(await sagas.listParked(10, order.orderId)).toHaveLength(1);
  });

  it('goes on where it left off when it is resumed, as often as that is asked for', async () => {
    const { order, epoch } = await parked();
    await Promise.all([sagas.resume(order.orderId), sagas.resume(order.orderId)]);
    expect(await sagas.claimDue(100)).toEqual([{ order, epoch: epoch + 1, failures: 0, faults: 0 }]);
    expect(await sagas.listParked(10)).toEqual([]);
  });

  it('gets another chance when its order is cancelled, also where the two happen at once', async () => {
    const { order } = await parked();
    await orders.update(order.orderId, (present) => cancelOrder(present, ANY_TIME));
    expect(await sagas.claimDue(100)).toMatchObject([{ order: { cancelRequested: true } }]);

    for (let round = 0; round < 20; round++) {
      const task = await placed(orders);
      const park = sagas.postpone(task, { ...NOW, fault: true, park: true });
      await Promise.all([park, orders.update(task.order.orderId, (present) => cancelOrder(present, ANY_TIME))]);
      // Cancelled after it was parked, or parked after it was cancelled: in neither case is it due at no time and unseen.
      const due = await dueIn(task.order.orderId);
      const seen = (await sagas.listParked(100)).some((saga) => saga.order.orderId === task.order.orderId);
      expect(seen).toBe(due === Infinity);
      await sagas.resume(task.order.orderId);
    }
  });

  it('does not change an order that is finished', async () => {
    const { order, epoch } = await placed(orders);
    await orders.saveStep(confirmOrder(order, [], ANY_TIME), epoch);
    await sagas.resume(order.orderId);
    expect(await sagas.claimDue(100)).toEqual([]);
  });
});

it('tells how long the oldest unfinished saga has not moved', async () => {
  expect(await sagas.backlog()).toEqual({ parked: 0, oldest: 0 });
  for (const seconds of [10, 3_600]) {
    const { order } = await placed(orders);
    await postgres.database.query(AGE, [order.orderId, seconds]);
  }
  expect((await sagas.backlog()).oldest).toBeCloseTo(3_600, -1);
});

it('takes the longest waiting first, and no more than is asked for', async () => {
  const tasks = await Promise.all(Array.from({ length: 5 }, () => orders.insert(placement())));
  for (const task of tasks) await expire((task as SagaTask).order.orderId);
  const first = await sagas.claimDue(2);
  const longest = tasks.slice(0, 2).map((task) => task?.order.orderId);
  expect(first.map(({ order }) => order.orderId).sort()).toEqual(longest.sort());
});
