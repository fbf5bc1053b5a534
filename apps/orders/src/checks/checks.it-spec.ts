import type { Finding } from '@souk/operations';
import { sql, uuidv7 } from '@souk/postgres';
import type { Hold, Hold_State } from '@souk/proto/inventory/v1';
import { Payment } from '@souk/proto/payments/v1';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { ANY_TIME } from '../../test/order-builder.js';
import { placed, placement } from '../../test/placements.js';
import {
  cancelOrder,
  confirmOrder,
  finishUndo,
  fulfillOrder,
  refundOrder,
  rejectOrder,
  type Change,
  type Order,
} from '../domain/order.js';
import { paymentDeclined, stockShort } from '../domain/rejections.js';
import { OrdersStore } from '../orders.store.js';
import { SagasStore, type SagaTask } from '../sagas.store.js';
import { ChecksStore } from './checks.store.js';
import { ordersHoldsCheck } from './orders-holds.js';
import { ordersPaymentsCheck } from './orders-payments.js';
import { ordersSagasCheck } from './orders-sagas.js';

const LEASE = { leaseMs: 60_000, sagaVersion: 1 };
const AGE = sql(
  'test.age-orders',
  `UPDATE orders SET updated_at = now() - $2 * interval '1 s' WHERE order_id = ANY($1::uuid[])`,
);
const HOUR = 3_600;

let postgres: TestDatabase;
let orders: OrdersStore;
let sagas: SagasStore;
let checks: ChecksStore;
let holds: Map<string, Hold_State>;
let payments: Map<string, Payment>;
/** What happens while a check waits for the answer of a neighbour. */
let meanwhile: () => Promise<unknown>;

beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'apps/orders/migrations' });
  orders = new OrdersStore(postgres.database, { ...LEASE, onCommitted: () => undefined });
  sagas = new SagasStore(postgres.database, LEASE);
  checks = new ChecksStore(postgres.database);
  holds = new Map();
  payments = new Map();
  meanwhile = async () => undefined;
});
afterEach(() => postgres.drop());

function hold(orderId: string): Hold {
  return { orderId, state: holds.get(orderId)!, lines: [], createTime: undefined, updateTime: undefined };
}

const inventory = {
  batchGetHolds: async ({ orderIds }: { orderIds: string[] }) => {
    const found = orderIds.filter((orderId) => holds.has(orderId)).map(hold);
    await meanwhile();
    return { holds: found };
  },
  // Pages of one, so that there are several.
  listHolds: async ({ pageToken }: { pageToken: string }) => {
    const held = [...holds.keys()]
      .filter((orderId) => holds.get(orderId) === 'STATE_HELD' && orderId > pageToken)
      .sort();
    const [orderId] = held;
    return { holds: orderId ? [hold(orderId)] : [], nextPageToken: held.length > 1 ? (orderId ?? '') : '' };
  },
};
const provider = {
  batchGetPayments: async ({ orderIds }: { orderIds: string[] }) => {
    const found = orderIds.flatMap((orderId) => payments.get(orderId) ?? []);
    await meanwhile();
    return { payments: found };
  },
};

const ENDS: Readonly<Record<string, readonly ((order: Order) => Change)[]>> = {
  CONFIRMED: [(o) => confirmOrder(o, [], ANY_TIME)],
  FULFILLED: [(o) => confirmOrder(o, [], ANY_TIME), (o) => fulfillOrder(o, '', ANY_TIME)],
  REFUNDED: [
    (o) => confirmOrder(o, [], ANY_TIME),
    (o) => fulfillOrder(o, '', ANY_TIME),
    (o) => refundOrder(o, { refundedAmount: 100n, everything: false }, ANY_TIME),
  ],
  CANCELLED: [
    (o) => confirmOrder(o, [], ANY_TIME),
    (o) => cancelOrder(o, ANY_TIME),
    (o) => finishUndo(o, [], ANY_TIME),
  ],
  DECLINED: [(o) => rejectOrder(o, paymentDeclined('expired_card'), [], ANY_TIME), (o) => finishUndo(o, [], ANY_TIME)],
  SHORT: [(o) => rejectOrder(o, stockShort([]), [], ANY_TIME)],
  UNDOING: [(o) => confirmOrder(o, [], ANY_TIME), (o) => cancelOrder(o, ANY_TIME)],
  PENDING: [],
};

/** An order with what others keep of it, all of it as it should be. @param idleS for how long it has not changed */
async function orderThatIs(end: string, idleS = HOUR): Promise<string> {
  const { order } = await placed(orders);
  const { orderId } = order;
  for (const change of ENDS[end] ?? []) await orders.update(orderId, change);
  await postgres.database.query(AGE, [[orderId], idleS]);
  const sold = ['CONFIRMED', 'FULFILLED', 'REFUNDED'].includes(end);
  if (sold) holds.set(orderId, 'STATE_SOLD');
  if (end === 'PENDING' || end === 'UNDOING') holds.set(orderId, 'STATE_HELD');
  if (end === 'CANCELLED') holds.set(orderId, 'STATE_RELEASED');
  if (sold) pay(orderId, { state: 'STATE_CAPTURED', capturedAmount: order.total.amount });
  if (end === 'REFUNDED') pay(orderId, { refundedAmount: 100n });
  if (end === 'CANCELLED') pay(orderId, { state: 'STATE_VOIDED' });
  if (end === 'DECLINED') pay(orderId, { state: 'STATE_DECLINED' });
  return orderId;
}

function pay(orderId: string, change: Partial<Payment>): void {
  const amount = { amount: 21_498n, currency: 'USD' };
  payments.set(orderId, Payment.fromPartial({ orderId, amount, ...payments.get(orderId), ...change }));
}

const checkHolds = async () => (await ordersHoldsCheck(checks, inventory).run()).findings;
const checkPayments = async () => (await ordersPaymentsCheck(checks, provider).run()).findings;

function about(orderId: string, detail: string, mend: string): Finding {
  return { subject: orderId, detail: expect.stringContaining(detail), mend: expect.stringContaining(mend) };
}

it('finds nothing where everybody agrees', async () => {
  for (const end of Object.keys(ENDS)) await orderThatIs(end);
  expect(await checkHolds()).toEqual([]);
  expect(await checkPayments()).toEqual([]);
  expect((await ordersPaymentsCheck(checks, provider).run()).compared).toBe(Object.keys(ENDS).length);
});

describe('orders-holds', () => {
  it.each<[string, Hold_State | undefined, string, string]>([
    ['CONFIRMED', undefined, 'its hold is missing', 'shop -- cancel'],
    ['CONFIRMED', 'STATE_RELEASED', 'its hold is RELEASED', 'shop -- cancel'],
    ['FULFILLED', 'STATE_REFUSED', 'its hold is REFUSED', 'shop -- cancel'],
    [
      'CONFIRMED',
      'STATE_HELD',
      'still held and not sold',
      'events replay --consumer inventory-OrderConfirmed --from 2026-',
    ],
    [
      'REFUNDED',
      'STATE_HELD',
      'still held and not sold',
      'events replay --consumer inventory-OrderConfirmed --from 2026-',
    ],
    ['CANCELLED', 'STATE_HELD', 'its units are held', 'orders resume'],
    ['CANCELLED', 'STATE_SOLD', 'its units are sold', 'orders resume'],
    ['DECLINED', 'STATE_HELD', 'its units are held', 'orders resume'],
    ['SHORT', 'STATE_HELD', 'its units are held', 'orders resume'],
  ])('finds an order that is %s with a hold that is %s (F73)', async (end, state, detail, mend) => {
    const orderId = await orderThatIs(end);
    if (state) holds.set(orderId, state);
    else holds.delete(orderId);
    expect(await checkHolds()).toEqual([about(orderId, detail, mend)]);
  });

  it('finds units that are held for an order that does not exist, or that is long over', async () => {
    const nobody = uuidv7();
    holds.set(nobody, 'STATE_HELD');
    const old = await orderThatIs('CANCELLED', 30 * 24 * HOUR);
    expect(await checkHolds()).toEqual([about(nobody, 'does not exist', `stock release ${nobody}`)]);
    holds.set(old, 'STATE_HELD');
    const found = await checkHolds();
    expect(found.map(({ subject }) => subject).sort()).toEqual([nobody, old].sort());
  });

  it('leaves alone what is on its way', async () => {
    const fresh = await orderThatIs('CONFIRMED', 60);
    holds.delete(fresh);
    const unsold = await orderThatIs('CONFIRMED', 300);
    holds.set(unsold, 'STATE_HELD');
    const changing = await orderThatIs('CONFIRMED');
    holds.set(changing, 'STATE_RELEASED');
    meanwhile = () => orders.update(changing, (order) => cancelOrder(order, new Date()));
    expect(await checkHolds()).toEqual([]);
  });
});

describe('orders-payments', () => {
  it.each<[string, Partial<Payment> | undefined, string, string]>([
    ['CONFIRMED', undefined, 'has no payment', 'shop -- cancel'],
    ['CONFIRMED', { state: 'STATE_PROCESSING' }, 'its payment is PROCESSING', 'payments sync'],
    ['FULFILLED', { state: 'STATE_DECLINED' }, 'its payment is DECLINED', 'payments sync'],
    ['CONFIRMED', { state: 'STATE_VOIDED' }, 'its payment is VOIDED', 'events replay --consumer orders-PaymentVoided'],
    ['FULFILLED', { state: 'STATE_VOIDED' }, 'its payment is VOIDED', 'payments sync'],
    ['CONFIRMED', { amount: { amount: 1n, currency: 'USD' } }, 'over another amount', 'payments sync'],
    ['FULFILLED', { amount: { amount: 21_498n, currency: 'EUR' } }, 'over another amount', 'payments sync'],
    [
      'FULFILLED',
      { refundedAmount: 5n },
      '5 minor units went back, but the order knows of 0',
      'orders-PaymentRefunded',
    ],
    ['REFUNDED', { refundedAmount: 101n }, 'but the order knows of 100', 'orders-PaymentRefunded'],
    ['CANCELLED', { state: 'STATE_AUTHORIZED' }, 'its payment is AUTHORIZED', 'orders resume'],
    [
      'CANCELLED',
      { state: 'STATE_CAPTURED', capturedAmount: 9n, refundedAmount: 4n },
      '5 minor units',
      'orders resume',
    ],
    ['DECLINED', { state: 'STATE_AUTHORIZED' }, 'It is REJECTED', 'orders resume'],
  ])('finds an order that is %s with a payment that has %j (F53, F73)', async (end, change, detail, mend) => {
    const orderId = await orderThatIs(end);
    if (change) pay(orderId, change);
    else payments.delete(orderId);
    expect(await checkPayments()).toEqual([about(orderId, detail, mend)]);
  });

  it('leaves alone what is on its way', async () => {
    payments.delete(await orderThatIs('CONFIRMED', 60));
    const changing = await orderThatIs('CONFIRMED');
    pay(changing, { state: 'STATE_VOIDED' });
    meanwhile = () => orders.update(changing, (order) => cancelOrder(order, new Date()));
    expect(await checkPayments()).toEqual([]);
  });

  it('goes through all pages, and stops where there is more to mend than anybody would read', async () => {
    const tasks = await Promise.all(Array.from({ length: 1_600 }, () => orders.insert(placement())));
    const confirmed = (tasks as SagaTask[]).map(({ order, epoch }) => ({
      change: confirmOrder(order, [], ANY_TIME),
      epoch,
    }));
    await Promise.all(confirmed.map(({ change, epoch }) => orders.saveStep(change, epoch)));
    await postgres.database.query(AGE, [confirmed.map(({ change }) => change.order.orderId), HOUR]);
    const { compared, findings } = await ordersPaymentsCheck(checks, provider).run();
    expect(findings).toHaveLength(1_000);
    expect(compared).toBe(1_000);
    for (const { change } of confirmed) pay(change.order.orderId, { state: 'STATE_AUTHORIZED' });
    expect(await ordersPaymentsCheck(checks, provider).run()).toEqual({ compared: 1_600, findings: [] });
  });
});

describe('orders-sagas', () => {
  it('finds what was given up and what does not end (F25, F27)', async () => {
    await orderThatIs('PENDING', 60);
    const slow = await orderThatIs('UNDOING', HOUR);
    const task = await placed(orders);
    await sagas.postpone(task, { delayMs: 0, error: 'a bug', fault: true, park: true });
    const { orderId } = task.order;
    const found = await ordersSagasCheck(checks).run();
    expect(found.compared).toBe(3);
    expect(found.findings).toEqual([
      about(slow, 'It is CANCELLED. Its saga has not ended for 60 minutes.', `orders resume ${slow}`),
      about(orderId, 'It is PENDING. Its saga was given up after 1 failures: a bug', `orders resume ${orderId}`),
    ]);
  });
});
