import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { confirmedOrder } from './order-fixture.js';
import { PaymentsUnderTest } from './payments-under-test.js';

let shop: PaymentsUnderTest;
beforeAll(async () => (shop = await PaymentsUnderTest.start()));
afterAll(() => shop.stop());
afterEach(() => shop.psp.clearFaults());

const ATTEMPTS = sql(
  'test.attempts',
  `SELECT operation, attempt, calls, outcome FROM payment_attempts JOIN payments USING (payment_id) WHERE order_id = $1 ORDER BY 1, 2`,
);
const DEADLINE = sql('test.deadline', 'SELECT capture_by, next_try_at FROM payments WHERE order_id = $1');
const LATE = sql(
  'test.late',
  `UPDATE payments SET capture_by = now() - interval '1 second', next_try_at = now() WHERE order_id = $1`,
);

describe('the money of a confirmed order', () => {
  it('is taken exactly once, though the event comes more than once (F57)', async () => {
    const { orderId } = await shop.authorizedOrder();
    const eventId = '01903f2a-0000-7000-8000-000000000001';
    for (let copy = 0; copy < 3; copy++) {
      await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId), eventId);
    }
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_CAPTURED'));
    await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId));
    const { charges } = await shop.psp.booksOf(orderId);
    expect(charges).toMatchObject([{ amount_captured: 1999 }]);
    const attempts = await shop.postgres.database.query(ATTEMPTS, [orderId]);
    expect(attempts).toContainEqual({ operation: 'capture-1', attempt: 1, calls: 1, outcome: 'CAPTURED' });
    await eventually(async () =>
      expect(await shop.published(orderId)).toEqual(['PaymentAuthorized', 'PaymentCaptured']),
    );
  });

  it('is asked for until the provider answers, and taken once (F40)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.psp.addFault({ kind: 'timeout_after_charge', next: 1, operation: 'capture' });
    await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId));
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_CAPTURED'), { timeoutMs: 8_000 });
    expect((await shop.psp.booksOf(orderId)).charges).toMatchObject([{ amount_captured: 1999 }]);
  });

  it('is taken though the provider answers its first key with 500 for ever (F42)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.psp.addFault({ kind: 'error_500', next: 1, operation: 'capture', stored: true });
    await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId));
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_CAPTURED'), { timeoutMs: 15_000 });
    const attempts = await shop.postgres.database.query(ATTEMPTS, [orderId]);
    expect(attempts).toMatchObject([
      { operation: 'authorize' },
      { operation: 'capture-1', attempt: 1, outcome: 'SPENT' },
      { operation: 'capture-1', attempt: 2, outcome: 'CAPTURED' },
    ]);
  });

  it('is not taken where it was called off', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.orders.cancelPayment({ orderId });
    await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId));
    const later = await shop.authorizedOrder();
    await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(later.orderId));
    await eventually(async () => expect(await shop.stateOf(later.orderId)).toBe('STATE_CAPTURED'));
    expect(await shop.psp.booksOf(orderId)).toMatchObject({ intents: [{ status: 'canceled' }], charges: [{}] });
  });

  it('is taken of many orders', async () => {
    const orders = await Promise.all(Array.from({ length: 40 }, () => shop.authorizedOrder()));
    await Promise.all(
      orders.map(({ orderId }) => shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId))),
    );
    await eventually(async () => {
      const states = await Promise.all(orders.map(({ orderId }) => shop.stateOf(orderId)));
      expect(states.filter((state) => state === 'STATE_CAPTURED')).toHaveLength(40);
    });
  });
});

describe('a capture', () => {
  it('takes a part and keeps the rest, until the last one lets the rest go (F48)', async () => {
    const { orderId } = await shop.authorizedOrder();
    const first = await shop.capture(orderId, { amount: 500n, moreToCome: true });
    expect(first.payment).toMatchObject({ state: 'STATE_AUTHORIZED', capturedAmount: 500n });
    const last = await shop.capture(orderId, { amount: 700n });
    expect(last.payment).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 1200n });
    expect(last.payment?.captures).toMatchObject([
      { sequence: 1, amount: 500n, done: true },
      { sequence: 2, amount: 700n, done: true },
    ]);
    const { intents } = await shop.psp.booksOf(orderId);
    expect(intents).toMatchObject([{ status: 'succeeded', amount_received: 1200, amount_capturable: 0 }]);
    const events = ['PaymentAuthorized', 'PaymentCaptured', 'PaymentCaptured'];
    await eventually(async () => expect(await shop.published(orderId)).toEqual(events));
  });

  it('takes the money once per key, also when it is asked for at once, and answers the same (F3, F5)', async () => {
    const { orderId } = await shop.authorizedOrder();
    const asked = { amount: 500n, moreToCome: true, requestId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.capture(orderId, asked)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const again = await shop.capture(orderId, asked);
    expect(again).toMatchObject({ replayed: true, payment: { capturedAmount: 500n, captures: [{ sequence: 1 }] } });
    await expect(shop.capture(orderId, { ...asked, amount: 501n })).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    expect((await shop.psp.booksOf(orderId)).intents).toMatchObject([{ amount_received: 500 }]);
  });

  it('whose outcome is not known is asked for again with its own key, and never taken twice (F40, F41)', async () => {
    for (const kind of ['timeout_after_charge', 'timeout_before_charge']) {
      const { orderId } = await shop.authorizedOrder();
      await shop.psp.addFault({ kind, next: 1, operation: 'capture' });
      const { payment } = await shop.capture(orderId, { amount: 500n, moreToCome: true });
      // The provider's notice may have said meanwhile what its answer did not.
      expect(payment).toMatchObject({ captures: [{ sequence: 1, done: payment?.capturedAmount === 500n }] });
      await shop.capture(orderId, { amount: 600n });
      await eventually(async () =>
        expect(await shop.paymentOf(orderId)).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 1100n }),
      );
      expect((await shop.psp.booksOf(orderId)).intents).toMatchObject([{ amount_received: 1100 }]);
      expect(await shop.postgres.database.query(ATTEMPTS, [orderId])).toMatchObject([
        { operation: 'authorize' },
        { operation: 'capture-1', attempt: 1, outcome: 'AUTHORIZED' },
        { operation: 'capture-2', attempt: 1, outcome: 'CAPTURED' },
      ]);
    }
  });

  it('of more than there is, or of what holds no money, is refused (F48)', async () => {
    const { orderId } = await shop.authorizedOrder();
    const tooMuch = await shop.capture(orderId, { amount: 2000n }).catch((error: unknown) => error);
    expect(tooMuch).toMatchObject({
      kind: 'refused',
      reason: 'AMOUNT_TOO_HIGH',
      metadata: { asked: '2000', left: '1999' },
    });
    await expect(shop.capture(orderId, { requestId: '' })).rejects.toMatchObject({
      violations: [{ field: 'request_id' }],
    });
    const another = randomUUID();
    await expect(shop.capture(another)).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
    await shop.authorize(another, { token: 'pm_card_chargeDeclined' });
    await expect(shop.capture(another)).rejects.toMatchObject({ reason: 'PAYMENT_NOT_CAPTURABLE' });
  });

  it('that the provider refuses leaves its amount free, and is refused again when asked again', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.psp.addFault({ kind: 'decline', next: 1, operation: 'capture' });
    const requestId = randomUUID();
    const refused = { reason: 'PAYMENT_NOT_CAPTURABLE' };
    await expect(shop.capture(orderId, { amount: 500n, requestId })).rejects.toMatchObject(refused);
    await expect(shop.capture(orderId, { amount: 500n, requestId })).rejects.toMatchObject(refused);
    const { payment } = await shop.capture(orderId);
    expect(payment).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 1999n, captures: [{ sequence: 2 }] });
  });

  it('in parts is possible for payments by hand too', async () => {
    const { orderId } = await shop.authorizedOrder({ method: 'manual' });
    await shop.capture(orderId, { amount: 500n, moreToCome: true });
    const { payment } = await shop.capture(orderId);
    expect(payment).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 1999n });
    await shop.refund(orderId, { amount: 1000n });
    expect(await shop.paymentOf(orderId)).toMatchObject({ state: 'STATE_CAPTURED', refundedAmount: 1000n });
  });
});

describe('what nobody captured in time', () => {
  it('is let go, and said to be (F51)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.postgres.database.query(LATE, [orderId]);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
    expect((await shop.psp.booksOf(orderId)).intents).toMatchObject([{ status: 'canceled' }]);
    await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentAuthorized', 'PaymentVoided']));
    await expect(shop.capture(orderId)).rejects.toMatchObject({ reason: 'PAYMENT_NOT_CAPTURABLE' });
  });

  it('is let go beside a part that was captured (F51)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.capture(orderId, { amount: 500n, moreToCome: true });
    await shop.postgres.database.query(LATE, [orderId]);
    await eventually(async () =>
      expect(await shop.paymentOf(orderId)).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 500n }),
    );
    expect((await shop.psp.booksOf(orderId)).intents).toMatchObject([{ status: 'succeeded', amount_capturable: 0 }]);
  });

  it('is followed where the provider let it go by itself (F51)', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    await shop.psp.happen('expire', { payment_intent: payment.providerReference });
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
  });

  it('has no time limit where it is paid by hand', async () => {
    const { orderId } = await shop.authorizedOrder({ method: 'manual' });
    await shop.capture(orderId, { amount: 500n, moreToCome: true });
    const deadline = await shop.postgres.database.query(DEADLINE, [orderId]);
    expect(deadline).toEqual([{ capture_by: null, next_try_at: null }]);
  });
});
