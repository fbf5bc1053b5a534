import { randomUUID } from 'node:crypto';
import { Checks, type Check, type Finding } from '@souk/operations';
import { sql } from '@souk/postgres';
import { createLogger, metrics } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { ChecksStore } from '../src/checks/checks.store.js';
import { paymentsProviderCheck } from '../src/checks/payments-provider.js';
import { PaymentsStore } from '../src/payments.store.js';
import { StripeBooks } from '../src/providers/stripe-books.js';
import { StripeProvider } from '../src/providers/stripe.js';
import { UnsettledCount } from '../src/unsettled-count.js';
import { PaymentsUnderTest } from './payments-under-test.js';

let shop: PaymentsUnderTest;
beforeAll(async () => (shop = await PaymentsUnderTest.start()));
afterAll(() => shop.stop());
beforeEach(() => shop.psp.clearFaults());

/** So late that everything has rested. */
const LATER_MS = 5 * 60 * 1000;

function providerCheck(laterMs = LATER_MS): Check {
  return paymentsProviderCheck({
    checks: shop.part(ChecksStore),
    payments: shop.part(PaymentsStore),
    provider: new StripeProvider(shop.dashboard, true, createLogger('test')),
    books: new StripeBooks(shop.dashboard),
    now: () => new Date(Date.now() + laterMs),
  });
}

async function findingsOf(check: Check | string): Promise<Finding[]> {
  const named = typeof check === 'string' ? shop.part(Checks).list.find(({ name }) => name === check) : check;
  return [...(await named!.run()).findings];
}

const about = async (check: Check | string, subject: string) =>
  (await findingsOf(check)).filter((finding) => finding.subject === subject);

const change = (what: string, orderId: string) =>
  shop.postgres.database.query(sql(`test.${what}`, `UPDATE payments SET ${what} WHERE order_id = $1`), [orderId]);

const sync = (orderId: string) => shop.ops.syncPayment({ orderId });
const syncOf = (orderId: string) => `npm run ops -- payments sync ${orderId}`;

describe('what the provider did and no notice told', () => {
  it('is found, and mended by the command that the finding names (F45)', async () => {
    await shop.psp.addFault({ kind: 'lost_webhook', rate: 1 });
    const { paymentIntents, refunds } = shop.dashboard;
    const taken = await shop.authorizedOrder();
    await paymentIntents.capture(taken.payment.providerReference);
    const ended = await shop.authorizedOrder();
    await paymentIntents.cancel(ended.payment.providerReference);
    const refunded = await shop.capturedOrder();
    await refunds.create({ payment_intent: refunded.payment.providerReference, amount: 500 });
    const untouched = await shop.capturedOrder();

    const check = providerCheck();
    const expected = [taken, ended, refunded].map(({ orderId }) => ({ subject: orderId, mend: syncOf(orderId) }));
    const findings = await findingsOf(check);
    expect(findings).toHaveLength(expected.length);
    expect(findings).toEqual(
      expect.arrayContaining(expected.map((finding): unknown => expect.objectContaining(finding))),
    );
    expect(await about(check, untouched.orderId)).toEqual([]);

    expect((await sync(taken.orderId)).payment).toMatchObject({ state: 'STATE_CAPTURED', capturedAmount: 1999n });
    expect((await sync(ended.orderId)).payment).toMatchObject({ state: 'STATE_VOIDED' });
    expect((await sync(refunded.orderId)).payment).toMatchObject({ refundedAmount: 500n, refunds: [{ amount: 500n }] });
    expect(await findingsOf(check)).toEqual([]);
  });

  it('is found of a dispute too (F45, F52)', async () => {
    const { orderId, payment } = await shop.capturedOrder();
    await shop.psp.happen('disputes', { payment_intent: payment.providerReference });
    await eventually(async () => expect((await shop.paymentOf(orderId)).disputedAmount).toBe(1999n));
    expect(await about(providerCheck(), orderId)).toEqual([]);
    await change('disputed_amount = 0', orderId);
    expect(await about(providerCheck(), orderId)).toMatchObject([{ detail: expect.stringContaining('disputed') }]);
    expect((await sync(orderId)).payment).toMatchObject({ disputedAmount: 1999n });
  });

  it('is not judged before it has rested', async () => {
    await shop.psp.addFault({ kind: 'lost_webhook', rate: 1 });
    const { orderId, payment } = await shop.authorizedOrder();
    await shop.dashboard.paymentIntents.cancel(payment.providerReference);
    expect(await about(providerCheck(0), orderId)).toEqual([]);
    await sync(orderId);
  });
});

describe('money at the provider that no payment accounts for', () => {
  const charge = (metadata: Record<string, string> = {}) =>
    shop.dashboard.paymentIntents.create({
      amount: 700,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
      metadata,
    });

  it('is found, and is for a person where nobody knows whose it is (F45)', async () => {
    const { id } = await charge();
    const bySight = { subject: id, mend: `See to ${id} in the provider's dashboard.` };
    expect(await about(providerCheck(), id)).toMatchObject([bySight]);
    await eventually(async () => expect(await about('payments-stuck', id)).toMatchObject([bySight]));
    await shop.dashboard.refunds.create({ payment_intent: id });
    expect(await about(providerCheck(), id)).toEqual([]);
  });

  it('is sent back by the command where it is of an order that has a payment (F45, F47)', async () => {
    const { orderId, payment } = await shop.capturedOrder();
    await shop.psp.addFault({ kind: 'lost_webhook', rate: 1 });
    const { id } = await charge({ souk_payment_id: payment.paymentId, souk_order_id: orderId });
    expect(await about(providerCheck(), id)).toMatchObject([{ mend: syncOf(orderId) }]);
    expect((await sync(orderId)).payment).toMatchObject({ state: 'STATE_CAPTURED', refundedAmount: 0n });
    expect(await about(providerCheck(), id)).toEqual([]);
    const { refunds } = await shop.psp.booksOf(orderId);
    expect(refunds).toMatchObject([{ payment_intent: id, amount: 700 }]);
  });
});

describe('a payment', () => {
  it('that the provider does not know is found (F45)', async () => {
    const { orderId } = await shop.capturedOrder();
    await change(`provider_reference = 'pi_gone'`, orderId);
    expect(await about(providerCheck(), orderId)).toMatchObject([{ mend: expect.stringContaining('pi_gone') }]);
  });

  it('over another amount than at the provider is found (F53)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await change('amount = 2000', orderId);
    expect(await about(providerCheck(), orderId)).toMatchObject([
      { detail: 'The provider has it over 1999 USD, here it is over 2000 USD.' },
    ]);
  });

  it('that somebody has waited for for long is found, and the command sees it through (F25)', async () => {
    const { orderId } = await shop.authorizedOrder();
    await shop.psp.addFault({ kind: 'timeout_before_charge', rate: 1, operation: 'capture' });
    await shop.capture(orderId);
    expect(await about('payments-stuck', orderId)).toEqual([]);
    const AGE = sql(
      'test.age',
      `UPDATE captures SET created_at = now() - interval '11 minutes' WHERE payment_id = (SELECT payment_id FROM payments WHERE order_id = $1)`,
    );
    await shop.postgres.database.query(AGE, [orderId]);
    expect(await about('payments-stuck', orderId)).toEqual([
      { subject: orderId, detail: 'For more than 10 minutes: a capture is under way.', mend: syncOf(orderId) },
    ]);
    await shop.psp.clearFaults();
    await eventually(async () => expect((await sync(orderId)).payment?.state).toBe('STATE_CAPTURED'));
    expect(await about('payments-stuck', orderId)).toEqual([]);
  });

  it('whose outcome nobody knows is counted', async () => {
    // A notice would tell the outcome.
    await shop.psp.addFault({ kind: 'lost_webhook', rate: 1 });
    const { orderId } = await shop.authorizedOrder();
    await change(`next_try_at = now() + interval '1 hour'`, orderId);
    await change(`state = 'PROCESSING'`, orderId);
    const count = new UnsettledCount(shop.postgres.database, createLogger('test'));
    count.onApplicationBootstrap();
    await eventually(async () => {
      const { values } = await metrics.gauge('payments_unsettled').get();
      expect(values).toContainEqual({ labels: { state: 'PROCESSING' }, value: 1 });
    });
    await count.onModuleDestroy();
    await shop.psp.clearFaults();
  });

  it('that says something else than its ledger is found', async () => {
    const { orderId } = await shop.capturedOrder();
    await shop.refund(orderId, { amount: 500n });
    expect(await about('ledger-balance', orderId)).toEqual([]);
    await change('refunded_amount = 600', orderId);
    expect(await about('ledger-balance', orderId)).toMatchObject([
      { detail: expect.stringContaining('1999 captured, 600 refunded') },
    ]);
  });
});

describe('the commands and reads of operators', () => {
  it('are for staff and for operators', async () => {
    const { orderId } = await shop.authorizedOrder();
    expect((await shop.as('staff', () => shop.gateway.syncPayment({ orderId }))).payment?.state).toBe(
      'STATE_AUTHORIZED',
    );
    await expect(shop.orders.syncPayment({ orderId })).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    await expect(sync(randomUUID())).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
  });

  it('give many payments at once, and leave out orders that have none', async () => {
    const orders = await Promise.all(Array.from({ length: 3 }, () => shop.authorizedOrder()));
    const orderIds = [...orders.map(({ orderId }) => orderId), randomUUID()];
    const { payments } = await shop.orders.batchGetPayments({ orderIds });
    expect(new Set(payments)).toEqual(new Set(orders.map(({ payment }) => payment)));
    const tooMany = { orderIds: Array.from({ length: 501 }, () => randomUUID() as string) };
    await expect(shop.ops.batchGetPayments(tooMany)).rejects.toMatchObject({ violations: [{ field: 'order_ids' }] });
    await expect(shop.gateway.batchGetPayments({ orderIds })).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  });
});
