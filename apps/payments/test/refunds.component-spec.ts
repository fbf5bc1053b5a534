import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { PaymentsUnderTest } from './payments-under-test.js';

let shop: PaymentsUnderTest;
beforeAll(async () => (shop = await PaymentsUnderTest.start()));
afterAll(() => shop.stop());
afterEach(() => shop.psp.clearFaults());

const KEYS = sql(
  'test.keys',
  `SELECT attempt, outcome FROM payment_attempts JOIN payments USING (payment_id)
    WHERE order_id = $1 AND operation LIKE 'refund%' ORDER BY started_at`,
);

describe('a refund', () => {
  it('gives a part back, then another, and the payment is REFUNDED with the last one (F48)', async () => {
    const { orderId } = await shop.capturedOrder();
    const part = await shop.refund(orderId, { amount: 500n, reason: 'One of the two was broken.' });
    expect(part).toMatchObject({
      replayed: false,
      refund: { amount: 500n, state: 'STATE_SUCCEEDED', reason: 'One of the two was broken.' },
      payment: { state: 'STATE_CAPTURED', refundedAmount: 500n },
    });
    const rest = await shop.refund(orderId);
    expect(rest).toMatchObject({ refund: { amount: 1499n }, payment: { state: 'STATE_REFUNDED' } });
    expect((await shop.psp.booksOf(orderId)).refunds).toMatchObject([{ amount: 500 }, { amount: 1499 }]);
    const events = ['PaymentAuthorized', 'PaymentCaptured', 'PaymentRefunded', 'PaymentRefunded'];
    await eventually(async () => expect(await shop.published(orderId)).toEqual(events));
  });

  it('is made once per key, also when it is asked for at once, and its answer stays (F3, F4, F5)', async () => {
    const { orderId } = await shop.capturedOrder();
    const asked = { amount: 500n, requestId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.refund(orderId, asked)));
    expect(new Set(answers.map(({ refund }) => refund?.refundId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await shop.refund(orderId, asked)).toMatchObject({ replayed: true, refund: { state: 'STATE_SUCCEEDED' } });
    await expect(shop.refund(orderId, { ...asked, amount: 400n })).rejects.toMatchObject({
      kind: 'conflict',
      reason: 'REQUEST_ID_REUSED',
    });
    expect((await shop.psp.booksOf(orderId)).refunds).toHaveLength(1);
  });

  it('never exceeds with others what was captured (F48)', async () => {
    const { orderId } = await shop.capturedOrder();
    const asked = Array.from({ length: 10 }, () => shop.refund(orderId, { amount: 500n }));
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(7);
    refused.forEach(({ reason }) =>
      expect(reason).toMatchObject({ reason: 'AMOUNT_TOO_HIGH', metadata: { asked: '500', left: '499' } }),
    );
    await eventually(async () => expect(await shop.paymentOf(orderId)).toMatchObject({ refundedAmount: 1500n }));
    expect((await shop.psp.booksOf(orderId)).refunds).toHaveLength(3);
  });

  it.each([
    ['timeout_after_charge', 'F40'],
    ['timeout_before_charge', 'F41'],
    ['error_500', 'F42'],
  ])('that meets %s is PROCESSING, seen through by itself, and made once (%s)', async (kind) => {
    const { orderId } = await shop.capturedOrder();
    await shop.psp.addFault({ kind, next: 1, operation: 'refund' });
    const requestId = randomUUID();
    const { refund } = await shop.refund(orderId, { amount: 500n, requestId });
    expect(refund?.state).toBe('STATE_PROCESSING');
    await eventually(async () => {
      const { refunds } = await shop.paymentOf(orderId);
      expect(refunds).toMatchObject([{ refundId: refund?.refundId, state: 'STATE_SUCCEEDED' }]);
    });
    expect((await shop.refund(orderId, { amount: 500n, requestId })).refund?.state).toBe('STATE_SUCCEEDED');
    expect((await shop.psp.booksOf(orderId)).refunds).toMatchObject([{ amount: 500 }]);
    expect(await shop.postgres.database.query(KEYS, [orderId])).toMatchObject([{ attempt: 1 }]);
  });

  it('that the provider refuses is FAILED, and its amount is free again', async () => {
    const { orderId } = await shop.capturedOrder();
    await shop.psp.addFault({ kind: 'decline', next: 1, operation: 'refund' });
    const { refund, payment } = await shop.refund(orderId);
    expect(refund?.state).toBe('STATE_FAILED');
    expect(payment).toMatchObject({ state: 'STATE_CAPTURED', refundedAmount: 0n });
    expect((await shop.refund(orderId)).payment?.state).toBe('STATE_REFUNDED');
  });

  it('that its bank takes its time over holds up no other, and ends as the bank says', async () => {
    const { orderId } = await shop.capturedOrder();
    await shop.psp.addFault({ kind: 'pending_refund', next: 2, operation: 'refund' });
    const pending = [await shop.refund(orderId, { amount: 500n }), await shop.refund(orderId, { amount: 300n })];
    expect(pending.map(({ refund }) => refund?.state)).toEqual(['STATE_PROCESSING', 'STATE_PROCESSING']);
    expect((await shop.refund(orderId, { amount: 100n })).refund?.state).toBe('STATE_SUCCEEDED');
    await expect(shop.refund(orderId, { amount: 1100n })).rejects.toMatchObject({ reason: 'AMOUNT_TOO_HIGH' });
    const [first, second] = (await shop.psp.booksOf(orderId)).refunds;
    await shop.psp.happen('refunds/end', { refund: first?.id, status: 'succeeded' });
    await shop.psp.happen('refunds/end', { refund: second?.id, status: 'failed' });
    await eventually(async () => {
      const { refunds, refundedAmount } = await shop.paymentOf(orderId);
      expect(refunds.map(({ state }) => state)).toEqual(['STATE_SUCCEEDED', 'STATE_FAILED', 'STATE_SUCCEEDED']);
      expect(refundedAmount).toBe(600n);
    });
  });

  it('of money that was not captured is refused, and names wrong fields', async () => {
    const { orderId } = await shop.authorizedOrder();
    await expect(shop.refund(orderId)).rejects.toMatchObject({ kind: 'refused', reason: 'PAYMENT_NOT_REFUNDABLE' });
    await expect(shop.refund(randomUUID())).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
    const wrong = { amount: -1n, reason: 'x'.repeat(201), requestId: '' };
    await expect(shop.refund(orderId, wrong)).rejects.toMatchObject({
      violations: [{ field: 'amount' }, { field: 'request_id' }, { field: 'reason' }],
    });
  });

  it('is for staff alone', async () => {
    const { orderId } = await shop.capturedOrder();
    const asked = { orderId, amount: 0n, reason: '', requestId: randomUUID() };
    const asCustomer = shop.as('customer', () => shop.gateway.refundPayment(asked));
    await expect(asCustomer).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    await expect(shop.gateway.refundPayment(asked)).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });
});
