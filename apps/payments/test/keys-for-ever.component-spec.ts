/** Money that went once for a key goes no second time for it, however late the key comes again. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '@souk/postgres';
import { PaymentsUnderTest } from './payments-under-test.js';

const AGE = sql('test.age', `UPDATE claims SET created_at = now() - interval '2 years'`);

let shop: PaymentsUnderTest;
beforeAll(async () => (shop = await PaymentsUnderTest.start()));
afterAll(() => shop.stop());

/** The service as it is two years later, after a start. */
async function twoYearsLater(): Promise<void> {
  await shop.postgres.database.query(AGE);
  await shop.restart();
  // What the service does by itself in the background it does soon after its start.
  await sleep(1_000);
}

it('a refund and a capture are answered as two years ago (F6)', async () => {
  const { orderId } = await shop.authorizedOrder();
  const capture = { amount: 1_000n, moreToCome: true, requestId: randomUUID() };
  const refund = { amount: 300n, requestId: randomUUID() };
  await shop.capture(orderId, capture);
  const given = await shop.refund(orderId, refund);
  await twoYearsLater();
  expect(await shop.capture(orderId, capture)).toMatchObject({ replayed: true, payment: { capturedAmount: 1_000n } });
  expect(await shop.refund(orderId, refund)).toMatchObject({ replayed: true, refund: given.refund });
  await expect(shop.refund(orderId, { ...refund, amount: 1n })).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  const { charges, refunds } = await shop.psp.booksOf(orderId);
  expect([charges.length, refunds.length]).toEqual([1, 1]);
  expect(await shop.paymentOf(orderId)).toMatchObject({ capturedAmount: 1_000n, refundedAmount: 300n });
});
