import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { confirmedOrder } from './order-fixture.js';
import { PaymentsUnderTest } from './payments-under-test.js';

const NOBODY = { email: '', clientDigest: '', customerId: '' };

let shop: PaymentsUnderTest;
beforeAll(async () => (shop = await PaymentsUnderTest.start()));
afterAll(() => shop.stop());
afterEach(() => shop.psp.clearFaults());

const ATTEMPTS = sql(
  'test.attempts',
  `SELECT operation, attempt, calls, outcome FROM payment_attempts JOIN payments USING (payment_id) WHERE order_id = $1 ORDER BY 1, 2`,
);

/** What the provider must hold for an order, whatever happened on the way. */
async function expectOneCharge(orderId: string, status: string) {
  const { intents, charges } = await shop.psp.booksOf(orderId);
  expect(charges).toHaveLength(1);
  expect(intents).toMatchObject([{ status }]);
}

describe('authorisation', () => {
  it('sets the money aside at the provider and says so', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    const { intents } = await shop.psp.booksOf(orderId);
    expect(intents).toMatchObject([{ id: payment.providerReference, status: 'requires_capture', amount_received: 0 }]);
    expect(intents[0]?.metadata).toEqual({ souk_order_id: orderId, souk_payment_id: payment.paymentId });
    expect(payment).toMatchObject({ capturedAmount: 0n, refundedAmount: 0n, declineCode: '', version: 2 });
    expect((await shop.orders.getPayment({ orderId })).payment).toEqual(payment);
    await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentAuthorized']));
  });

  it.each([
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_authenticationRequired', 'authentication_required'],
    ['pm_nobody_knows', 'resource_missing'],
  ])('answers DECLINED with the reason for %s, and again when asked again (F54)', async (token, declineCode) => {
    const orderId = randomUUID();
    const { payment } = await shop.authorize(orderId, { token });
    expect(payment).toMatchObject({ state: 'STATE_DECLINED', declineCode });
    expect((await shop.authorize(orderId, { token })).payment).toEqual(payment);
    expect((await shop.orders.cancelPayment({ orderId })).payment).toEqual({
      ...payment,
      updateTime: payment?.updateTime,
    });
    await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentDeclined']));
  });

  it('answers PROCESSING before the caller stops waiting, and finishes all the same', async () => {
    const orderId = randomUUID();
    const request = {
      orderId,
      amount: { amount: 1999n, currency: 'USD' },
      method: 'card',
      token: 'pm_sandbox_slow_600',
      ...NOBODY,
    };
    const { payment } = await shop.orders.authorizePayment(request, { timeoutMs: 500 });
    expect(payment?.state).toBe('STATE_PROCESSING');
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED'));
    await expectOneCharge(orderId, 'requires_capture');
  });

  it.each([
    ['pm_sandbox_timeoutAfterCharge', 'F40'],
    ['pm_sandbox_timeoutBeforeCharge', 'F41'],
    ['pm_sandbox_error500', 'F42'],
  ])('does not know the outcome of %s, asks again with the same key, and charges once (%s)', async (token) => {
    const orderId = randomUUID();
    expect((await shop.authorize(orderId, { token })).payment?.state).toBe('STATE_PROCESSING');
    expect((await shop.authorize(orderId, { token })).payment?.state).toBe('STATE_AUTHORIZED');
    await expectOneCharge(orderId, 'requires_capture');
    const attempts = await shop.postgres.database.query(ATTEMPTS, [orderId]);
    expect(attempts).toMatchObject([{ operation: 'authorize', attempt: 1 }]);
  });

  it('finds out by itself where nobody asks again (F17)', async () => {
    const orderId = randomUUID();
    await shop.authorize(orderId, { token: 'pm_sandbox_timeoutAfterCharge' });
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED'));
    await expectOneCharge(orderId, 'requires_capture');
  });

  it('charges once, however many ask at once (F1)', async () => {
    const orderId = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.authorize(orderId)));
    const states = new Set(answers.map(({ payment }) => payment?.state));
    expect([...states].every((state) => state === 'STATE_AUTHORIZED' || state === 'STATE_PROCESSING')).toBe(true);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED'));
    await expectOneCharge(orderId, 'requires_capture');
  });

  it('refuses another amount, currency or method for the same order (F53)', async () => {
    const { orderId } = await shop.authorizedOrder();
    for (const other of [{ amount: 5n }, { currency: 'EUR' }, { method: 'manual', token: '' }]) {
      await expect(shop.authorize(orderId, other)).rejects.toMatchObject({
        kind: 'refused',
        reason: 'PAYMENT_MISMATCH',
      });
    }
    await expectOneCharge(orderId, 'requires_capture');
  });

  it('names every field that is wrong', async () => {
    const wrong = { orderId: 'x', amount: { amount: 0n, currency: 'usd' }, method: 'cash', token: '', ...NOBODY };
    const error = await shop.orders.authorizePayment(wrong).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    const fields = (error as { violations: { field: string }[] }).violations.map(({ field }) => field);
    expect(fields).toEqual(['order_id', 'method', 'amount.currency']);
  });

  it('is for the orders service alone', async () => {
    const request = { orderId: randomUUID(), amount: undefined, method: 'card', token: '', ...NOBODY };
    await expect(shop.gateway.authorizePayment(request)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const { orderId } = await shop.authorizedOrder();
    await expect(shop.gateway.getPayment({ orderId })).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    const asCustomer = shop.as('customer', () => shop.gateway.getPayment({ orderId }));
    await expect(asCustomer).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  });
});

describe('cancellation', () => {
  it('before the authorisation makes the authorisation come too late (F24)', async () => {
    const orderId = randomUUID();
    expect((await shop.orders.cancelPayment({ orderId })).payment).toMatchObject({
      state: 'STATE_VOIDED',
      amount: undefined,
    });
    expect((await shop.authorize(orderId)).payment?.state).toBe('STATE_VOIDED');
    expect((await shop.authorize(orderId, { method: 'manual', token: '' })).payment?.state).toBe('STATE_VOIDED');
    expect((await shop.psp.booksOf(orderId)).charges).toHaveLength(0);
  });

  it('during the authorisation voids it as soon as it is known', async () => {
    const orderId = randomUUID();
    const authorisation = shop.authorize(orderId, { token: 'pm_sandbox_slow_500' });
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_PROCESSING'));
    const { payment } = await shop.orders.cancelPayment({ orderId });
    expect(['STATE_PROCESSING', 'STATE_VOIDED']).toContain(payment?.state);
    await authorisation;
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
    await expectOneCharge(orderId, 'canceled');
  });

  it('of an unknown outcome asks first and then voids what there is (F40)', async () => {
    const orderId = randomUUID();
    await shop.authorize(orderId, { token: 'pm_sandbox_timeoutAfterCharge' });
    expect((await shop.orders.cancelPayment({ orderId })).payment?.state).toBe('STATE_VOIDED');
    await expectOneCharge(orderId, 'canceled');
    await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentAuthorized', 'PaymentVoided']));
  });

  it('voids what is set aside, once', async () => {
    const { orderId } = await shop.authorizedOrder();
    const answers = await Promise.all(Array.from({ length: 5 }, () => shop.orders.cancelPayment({ orderId })));
    answers.forEach(({ payment }) => expect(['STATE_PROCESSING', 'STATE_VOIDED']).toContain(payment?.state));
    expect((await shop.orders.cancelPayment({ orderId })).payment?.state).toBe('STATE_VOIDED');
    await expectOneCharge(orderId, 'canceled');
    await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentAuthorized', 'PaymentVoided']));
  });

  it('gives captured money back, once, also when the provider stays silent (F23, F40)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.capture(orderId);
    await shop.psp.addFault({ kind: 'timeout_after_charge', next: 1, operation: 'refund' });
    expect((await shop.orders.cancelPayment({ orderId })).payment?.state).toBe('STATE_PROCESSING');
    await eventually(async () => {
      const { payment } = await shop.orders.cancelPayment({ orderId });
      expect(payment).toMatchObject({ state: 'STATE_REFUNDED', refundedAmount: 1999n, capturedAmount: 1999n });
    });
    expect((await shop.psp.booksOf(orderId)).refunds).toMatchObject([{ amount: 1999 }]);
  });

  it('of what was captured meanwhile gives it back (F49)', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    await shop.psp.addFault({ kind: 'lost_webhook', rate: 1 });
    await shop.dashboard.paymentIntents.capture(payment.providerReference);
    await eventually(async () =>
      expect((await shop.orders.cancelPayment({ orderId })).payment).toMatchObject({
        state: 'STATE_REFUNDED',
        capturedAmount: 1999n,
        refundedAmount: 1999n,
      }),
    );
    expect((await shop.psp.booksOf(orderId)).refunds).toMatchObject([{ amount: 1999 }]);
    const events = ['PaymentAuthorized', 'PaymentCaptured', 'PaymentRefunded'];
    await eventually(async () => expect(await shop.published(orderId)).toEqual(events));
  });

  it('gives back what is left beside what went back before, by one refund (F48)', async () => {
    const { orderId } = await shop.capturedOrder();
    await shop.refund(orderId, { amount: 500n });
    expect((await shop.orders.cancelPayment({ orderId })).payment).toMatchObject({ state: 'STATE_REFUNDED' });
    const { refunds } = await shop.paymentOf(orderId);
    expect(refunds.map(({ amount }) => amount)).toEqual([500n, 1499n]);
    await expect(shop.refund(orderId)).rejects.toMatchObject({ reason: 'PAYMENT_NOT_REFUNDABLE' });
  });

  it('of what was captured in part lets the rest go and gives the part back (F48)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.capture(orderId, { amount: 500n, moreToCome: true });
    expect((await shop.orders.cancelPayment({ orderId })).payment).toMatchObject({
      state: 'STATE_REFUNDED',
      capturedAmount: 500n,
      refundedAmount: 500n,
    });
    const { intents, refunds } = await shop.psp.booksOf(orderId);
    expect(intents).toMatchObject([{ status: 'succeeded', amount_capturable: 0, amount_received: 500 }]);
    expect(refunds).toMatchObject([{ amount: 500 }]);
  });

  it('is done by the worker where nobody calls again', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.psp.addFault({ kind: 'error_500', next: 1, operation: 'cancel' });
    // The worker may be done with it before the call that met the fault is answered.
    const { payment } = await shop.orders.cancelPayment({ orderId });
    expect(['STATE_PROCESSING', 'STATE_VOIDED']).toContain(payment?.state);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
  });
});

describe('payment by hand', () => {
  it('is set aside without a provider, many at a time, and captured by staff alone', async () => {
    const orders = await Promise.all(Array.from({ length: 200 }, () => shop.authorizedOrder({ method: 'manual' })));
    const { orderId, payment } = orders[0]!;
    expect(payment).toMatchObject({ providerReference: '', method: 'manual', version: 2 });
    expect((await shop.authorize(orderId, { method: 'manual', token: '' })).payment).toEqual(payment);
    await shop.publish('souk.orders.v1.OrderConfirmed', confirmedOrder(orderId, 'manual'));
    const asked = { orderId, amount: 0n, moreToCome: false, requestId: randomUUID() };
    const asCustomer = shop.as('customer', () => shop.gateway.capturePayment(asked));
    await expect(asCustomer).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED');
    const captured = await shop.as('staff', () => shop.gateway.capturePayment(asked));
    expect(captured.payment).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 1999n });
    expect((await shop.orders.cancelPayment({ orderId })).payment).toMatchObject({ state: 'STATE_REFUNDED' });
    expect((await shop.psp.booksOf(orderId)).charges).toHaveLength(0);
  });
});
