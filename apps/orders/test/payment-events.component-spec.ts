import { readFileSync } from 'node:fs';
import { Payment } from '@souk/proto/payments/v1';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { paymentIn, type Neighbours } from './neighbours.js';
import { callsOf, OrdersUnderTest, placing } from './orders-under-test.js';

const EVENTS = sql('test.events-of', 'SELECT type FROM outbox WHERE aggregate_id = $1 ORDER BY sequence');
const HANDLED = sql('test.handled', 'SELECT count(*)::int AS count FROM inbox WHERE event_id = $1');

let souk: OrdersUnderTest;
let neighbours: Neighbours;
let orders: OrdersUnderTest['orders'];

beforeAll(async () => (souk = await OrdersUnderTest.create()));
beforeEach(async () => {
  await souk.begin();
  ({ neighbours, orders } = souk);
});
afterEach(() => souk.end());
afterAll(() => souk.drop());

type Placed = Awaited<ReturnType<typeof place>>;

async function place() {
  const { order, accessToken } = await orders.placeOrder(placing());
  const orderId = order?.orderId ?? '';
  const read = async () => (await orders.getOrder({ orderId, accessToken })).order;
  const cancel = () => orders.cancelOrder({ orderId, accessToken, requestId: '' });
  const fulfil = () => souk.asStaff(() => orders.fulfillOrder({ orderId, tracking: '', requestId: '' }));
  return { orderId, read, cancel, fulfil };
}

/** The event as payments publishes it, about this order. */
async function publish(
  kind: 'PaymentVoided' | 'PaymentRefunded',
  { orderId }: Placed,
  change: Partial<Payment> = {},
): Promise<void> {
  const type = `souk.payments.v1.${kind}`;
  const text = readFileSync(`${__dirname}/../../../proto/fixtures/${type}.json`, 'utf8');
  const fixture = JSON.parse(text) as { payment: unknown };
  const payment = Payment.fromPartial({ ...Payment.fromJSON(fixture.payment), orderId, ...change });
  const id = await souk.publish(type, payment.paymentId, { ...fixture, payment: Payment.toJSON(payment) });
  await eventually(async () => {
    expect(await souk.postgres.database.query(HANDLED, [id])).toEqual([{ count: 1 }]);
  });
}

const partly = { state: 'STATE_CAPTURED', refundedAmount: 2_900n } as const;
const wholly = { state: 'STATE_REFUNDED', refundedAmount: 12_900n } as const;

async function eventsOf({ orderId }: Placed): Promise<string[]> {
  const rows = await souk.postgres.database.query<{ type: string }>(EVENTS, [orderId]);
  return rows.map(({ type }) => type.replace('souk.orders.v1.', ''));
}

async function cancelled(order: Placed): Promise<void> {
  await eventually(async () => {
    const found = await order.read();
    expect(found?.state).toBe('STATE_CANCELLED');
    expect(found?.timeline.map(({ kind }) => kind)).toContain('STOCK_RELEASED');
  });
}

describe('a payment that was called off by somebody else', () => {
  it('cancels its confirmed order, and the stock goes back (F51)', async () => {
    const order = await place();
    await publish('PaymentVoided', order);
    await publish('PaymentVoided', order);
    await cancelled(order);
    expect((await order.read())?.timeline.map(({ kind }) => kind)).toContain('PAYMENT_LOST');
    expect(callsOf(neighbours.inventory)).toEqual(['holdStock', 'releaseStock']);
    expect(await eventsOf(order)).toEqual(['OrderPlaced', 'OrderConfirmed', 'OrderCancelled']);
  });

  it('is left to the saga while the order is being settled (F43)', async () => {
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_PROCESSING') });
    const order = await place();
    await publish('PaymentVoided', order);
    await cancelled(order);
    expect(await eventsOf(order)).toEqual(['OrderPlaced', 'OrderCancelled']);
  });

  it('changes nothing where the order called it off itself', async () => {
    const order = await place();
    await order.cancel();
    const before = await order.read();
    await publish('PaymentVoided', order);
    expect(await order.read()).toEqual(before);
  });
});

describe('money that went back', () => {
  it('makes a fulfilled order REFUNDED, once for each sum, and the last sum counts (F44, F57, F58)', async () => {
    const order = await place();
    await order.fulfil();
    await publish('PaymentRefunded', order, partly);
    await publish('PaymentRefunded', order, partly);
    expect(await order.read()).toMatchObject({ state: 'STATE_REFUNDED', refundedAmount: 2_900n });
    await publish('PaymentRefunded', order, wholly);
    await publish('PaymentRefunded', order, partly);
    expect(await order.read()).toMatchObject({ state: 'STATE_REFUNDED', refundedAmount: 12_900n });
    const told = await eventsOf(order);
    expect(told.slice(-2)).toEqual(['OrderRefunded', 'OrderRefunded']);
    expect(told.filter((type) => type === 'OrderRefunded')).toHaveLength(2);
  });

  it('cancels a confirmed order where all of it went back, and not where a part did', async () => {
    const order = await place();
    await publish('PaymentRefunded', order, partly);
    expect(await order.read()).toMatchObject({ state: 'STATE_CONFIRMED', refundedAmount: 2_900n });
    await publish('PaymentRefunded', order, wholly);
    await cancelled(order);
    expect(await order.read()).toMatchObject({ refundedAmount: 12_900n });
  });

  it('is noted where a cancelled order gave it back itself, also while it is at it (F23)', async () => {
    let answer: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    neighbours.payments.answer({ cancelPayment: () => slow.then(() => paymentIn('STATE_REFUNDED')) });
    const order = await place();
    const cancelling = order.cancel();
    await eventually(async () => expect((await order.read())?.state).toBe('STATE_CANCELLED'));
    await publish('PaymentRefunded', order, wholly);
    answer();
    await cancelling;
    await cancelled(order);
    expect(await order.read()).toMatchObject({ refundedAmount: 12_900n });
    expect(await eventsOf(order)).toEqual(['OrderPlaced', 'OrderConfirmed', 'OrderCancelled']);
  });
});
