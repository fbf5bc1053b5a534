import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { PersonalPayments } from '../src/privacy/personal-payments.js';
import { PaymentsUnderTest } from './payments-under-test.js';

let shop: PaymentsUnderTest;
let personal: PersonalPayments;

const NOTICES = sql(
  'test.notices',
  'SELECT payload::text AS payload, next_try_at FROM webhook_inbox WHERE reference = $1',
);
const PUT_UNKNOWN = sql(
  'test.put-unknown',
  `INSERT INTO webhook_inbox (event_id, type, reference, payload, outcome, next_try_at)
   VALUES ($1, 'charge.succeeded', $2, '{"billing_details": {"name": "Ada Lovelace"}}', $3, $4)`,
);
const LEDGER = sql('test.ledger', 'SELECT account, balance::text AS balance FROM ledger_balances ORDER BY account');

beforeAll(async () => {
  shop = await PaymentsUnderTest.start();
  personal = new PersonalPayments(shop.postgres.database);
});
afterAll(() => shop.stop());

/** An order about which the provider has nothing more to say. */
async function quietOrder() {
  const order = await shop.authorizedOrder();
  await eventually(async () => expect((await personal.erase(subject(order.orderId))).pending).toBe(0), {
    timeoutMs: 30_000,
  });
  return order;
}

const subject = (orderId: string) => ({ subjectId: randomUUID(), email: '', emailOwned: false, orderIds: [orderId] });

it('keeps of a notice that was acted on nothing that it said (I19)', async () => {
  const { orderId, payment } = await shop.authorizedOrder();
  await shop.dashboard.paymentIntents.capture(payment.providerReference);
  await eventually(
    async () => {
      const rows = await shop.postgres.database.query(NOTICES, [payment.providerReference]);
      expect(rows.length).toBeGreaterThan(0);
      rows.forEach((row) => expect(row).toEqual({ payload: '{}', next_try_at: null }));
    },
    { timeoutMs: 30_000 },
  );
  expect(await personal.erase(subject(orderId))).toMatchObject({ pending: 0 });
});

it('forgets what unknown notices said of a person, and leaves the money as it is (I19)', async () => {
  const { orderId, payment } = await quietOrder();
  await shop.postgres.database.query(PUT_UNKNOWN, [randomUUID(), payment.providerReference, 'UNKNOWN_PAYMENT', null]);
  const before = await shop.postgres.database.query(LEDGER);

  const { treatments, pending } = await personal.erase(subject(orderId));

  expect(pending).toBe(0);
  expect(treatments).toContainEqual(expect.objectContaining({ what: 'texts of provider notices', count: 1 }));
  expect(treatments).toContainEqual(expect.objectContaining({ action: 'KEPT', count: 1 }));
  const rows = await shop.postgres.database.query<{ payload: string }>(NOTICES, [payment.providerReference]);
  expect(rows.map(({ payload }) => payload).join()).not.toContain('Lovelace');
  expect(await shop.postgres.database.query(LEDGER)).toEqual(before);
});

it('waits for a notice that is still to be acted on', async () => {
  const { orderId, payment } = await quietOrder();
  const later = new Date(Date.now() + 3_600_000);
  await shop.postgres.database.query(PUT_UNKNOWN, [randomUUID(), payment.providerReference, null, later]);
  expect(await personal.erase(subject(orderId))).toMatchObject({ pending: 1 });
});

it('exports the payments of the orders', async () => {
  const { orderId } = await quietOrder();
  const { records } = await personal.export(subject(orderId));
  expect(records).toEqual([
    {
      kind: 'payment',
      value: expect.objectContaining({ order_id: orderId, amount: '1999', currency: 'USD' }) as object,
    },
  ]);
});
