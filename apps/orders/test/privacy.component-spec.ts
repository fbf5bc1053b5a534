import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { PrivacyServiceService, type Subject } from '@souk/proto/privacy/v1';
import type { RpcClient } from '@souk/rpc';
import { eventually } from '@souk/testing';
import { paymentIn } from './neighbours.js';
import { OrdersUnderTest, placing } from './orders-under-test.js';

const EMAIL = 'ada@example.com';
const NAMES = /ada@example\.com|Lovelace|St James|SW1Y|TRACK-77/;
const UNSENT = sql('test.unsent', 'SELECT id FROM outbox WHERE sent_at IS NULL');
const TABLES = sql(
  'test.tables',
  `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
);

let souk: OrdersUnderTest;
let privacy: RpcClient<PrivacyServiceService>;

beforeEach(async () => {
  souk = await OrdersUnderTest.create();
  await souk.begin();
  privacy = souk.client(PrivacyServiceService, 'identity');
});
afterEach(async () => {
  privacy.close();
  await souk.end();
  await souk.drop();
});

function subject(change: Partial<Subject> = {}): Subject {
  return { subjectId: randomUUID(), email: EMAIL, emailOwned: true, orderIds: [], ...change };
}

const erase = (whose: Subject) => privacy.erasePersonalData({ subject: whose, requestId: randomUUID(), pageToken: '' });
const exported = (whose: Subject) => privacy.exportPersonalData({ subject: whose, pageToken: '' });

/** A guest's order, or a customer's, that is fulfilled unless said otherwise. */
async function ordered({ userId = '', fulfil = true } = {}): Promise<string> {
  const place = () => souk.orders.placeOrder(placing());
  const { order } = await (userId ? souk.as({ userId }, place) : place());
  const orderId = order?.orderId ?? '';
  if (fulfil) await souk.asStaff(() => souk.orders.fulfillOrder({ orderId, tracking: 'TRACK-77', requestId: '' }));
  return orderId;
}

/** All that the database and the broker hold, as text. */
async function everything(): Promise<string> {
  const { database } = souk.postgres;
  await eventually(async () => expect(await database.query(UNSENT)).toEqual([]), { timeoutMs: 30_000 });
  const texts: string[] = [];
  for (const { name } of await database.query<{ name: string }>(TABLES)) {
    const rows = await database.query<{ text: string }>(
      sql(`test.all-${name}`, `SELECT t::text AS text FROM ${name} AS t`),
    );
    texts.push(...rows.map(({ text }) => text));
  }
  const { bus } = souk.nats;
  const { state } = await bus.jsm.streams.info(bus.stream('ORDERS'));
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await bus.jsm.streams.getMessage(bus.stream('ORDERS'), { seq });
    if (message) texts.push(message.string());
  }
  return texts.join('\n');
}

it('leaves nothing of a person in tables, outbox and stream, and keeps what was paid (I19)', async () => {
  const userId = randomUUID();
  const orderIds = [await ordered({ userId }), await ordered()];
  await souk.as({ userId }, () => souk.cartWith('LAMP-BRASS'));
  expect(await everything()).toMatch(NAMES);

  const answer = await erase(subject({ subjectId: userId }));

  expect(answer).toMatchObject({ pending: 0, orderIds });
  expect(answer.treatments).toContainEqual(
    expect.objectContaining({ what: 'orders', action: 'ACTION_PSEUDONYMISED', count: 2n }),
  );
  expect(answer.treatments).toContainEqual(expect.objectContaining({ what: 'carts', count: 1n }));
  expect(await everything()).not.toMatch(NAMES);
  const { order } = await souk.asStaff(() => souk.orders.getOrder({ orderId: orderIds[0] ?? '', accessToken: '' }));
  expect(order).toMatchObject({
    state: 'STATE_FULFILLED',
    total: { amount: 12_900n, currency: 'USD' },
    shippingAddress: { name: '', line1: '', country: 'GB' },
  });
});

it('erases once what it is asked to erase twice, and finds it again by its person', async () => {
  const userId = randomUUID();
  const orderIds = [await ordered({ userId }), await ordered()];
  await erase(subject({ subjectId: userId }));
  const read = () => souk.asStaff(() => souk.orders.getOrder({ orderId: orderIds[1] ?? '', accessToken: '' }));
  const before = await read();

  const again = await erase(subject({ subjectId: userId, email: '', emailOwned: false }));

  expect(again).toMatchObject({ pending: 0, orderIds });
  expect(await read()).toEqual(before);
});

it('waits for an order that is under way, and erases it once it is at rest', async () => {
  const userId = randomUUID();
  const orderId = await ordered({ userId, fulfil: false });
  const whose = subject({ subjectId: userId });
  expect(await erase(whose)).toMatchObject({ pending: 1, orderIds: [] });
  const { order } = await souk.asStaff(() => souk.orders.getOrder({ orderId, accessToken: '' }));
  expect(order?.email).toBe(EMAIL);

  await souk.asStaff(() => souk.orders.fulfillOrder({ orderId, tracking: 'TRACK-77', requestId: '' }));

  expect(await erase(whose)).toMatchObject({ pending: 0, orderIds: [orderId] });
  expect(await everything()).not.toMatch(NAMES);
});

it('does not touch the orders of guests by an address that is not proved', async () => {
  const orderId = await ordered();
  expect(await erase(subject({ emailOwned: false }))).toMatchObject({ pending: 0, orderIds: [] });
  const { order } = await souk.asStaff(() => souk.orders.getOrder({ orderId, accessToken: '' }));
  expect(order?.email).toBe(EMAIL);
});

it('gives erased orders to nobody who proves the address later', async () => {
  const orderId = await ordered();
  await erase(subject());
  const userId = randomUUID();
  for (const email of [EMAIL, '']) {
    const data = { userId, email, verifyTime: new Date(Date.now() + 60_000).toISOString() };
    const eventId = await souk.publish('souk.identity.v1.EmailVerified', userId, data);
    await eventually(
      async () =>
        expect(
          await souk.postgres.database.query(sql('test.handled-proof', 'SELECT FROM inbox WHERE event_id = $1'), [
            eventId,
          ]),
        ).toHaveLength(1),
      { timeoutMs: 30_000 },
    );
  }
  const list = await souk.as({ userId }, () =>
    souk.orders.listOrders({ state: 'STATE_UNSPECIFIED', pageSize: 0, pageToken: '' }),
  );
  expect(list.orders.map((order) => order.orderId)).not.toContain(orderId);
});

it('refunds an erased order, and tells nobody’s address of it', async () => {
  const orderId = await ordered();
  await erase(subject());
  const payment = paymentIn('STATE_REFUNDED').payment;
  const id = await souk.publish('souk.payments.v1.PaymentRefunded', 'p', {
    payment: { paymentId: payment?.paymentId, orderId, state: 'STATE_REFUNDED', refundedAmount: '12900' },
  });
  await eventually(
    async () =>
      expect(
        await souk.postgres.database.query(sql('test.handled-refund', 'SELECT FROM inbox WHERE event_id = $1'), [id]),
      ).toHaveLength(1),
    { timeoutMs: 30_000 },
  );
  const { order } = await souk.asStaff(() => souk.orders.getOrder({ orderId, accessToken: '' }));
  expect(order).toMatchObject({ state: 'STATE_REFUNDED', refundedAmount: 12_900n, email: '' });
  expect(await everything()).not.toMatch(NAMES);
});

it('exports a person’s orders and carts, and nobody else’s', async () => {
  const userId = randomUUID();
  const orderId = await ordered({ userId });
  await ordered({ userId: randomUUID() });
  const cartId = await souk.as({ userId }, () => souk.cartWith('LAMP-BRASS'));
  const { records, orderIds, nextPageToken } = await exported(subject({ subjectId: userId, email: '' }));
  expect([orderIds, nextPageToken]).toEqual([[orderId], '']);
  expect(records.map(({ kind }) => kind)).toEqual(['cart', 'order']);
  expect(JSON.parse(records[0]?.json ?? '')).toMatchObject({ cart_id: cartId });
  expect(JSON.parse(records[1]?.json ?? '')).toMatchObject({
    orderId,
    email: EMAIL,
    shippingAddress: { city: 'London' },
  });
});

it('answers identity alone', async () => {
  const gateway = souk.client(PrivacyServiceService, 'gateway');
  const call = gateway.exportPersonalData({ subject: subject(), pageToken: '' });
  await expect(call).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  gateway.close();
});
