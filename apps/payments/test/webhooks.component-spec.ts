import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import Stripe from 'stripe';
import { fulfilledOrder } from './order-fixture.js';
import { PaymentsUnderTest, WEBHOOK_SECRET } from './payments-under-test.js';

let shop: PaymentsUnderTest;
/** The provider's dashboard: what people do there reaches us only by notices. */
let dashboard: Stripe;

beforeAll(async () => {
  shop = await PaymentsUnderTest.start('fulfilment');
  const { hostname, port } = new URL(shop.psp.url);
  dashboard = new Stripe('sk_test_dashboard', { host: hostname, port, protocol: 'http' });
});
afterAll(() => shop.stop());

const NOTICES = sql('test.notices', 'SELECT type, outcome FROM webhook_inbox WHERE reference = $1 ORDER BY event_id');
const BACKLOG = sql('test.backlog', 'SELECT event_id FROM webhook_inbox WHERE next_try_at IS NOT NULL');

const noticesOf = (reference: string) =>
  shop.postgres.database.query<{ type: string; outcome: string | null }>(NOTICES, [reference]);

function signed(event: object, options: { secret?: string; timestamp?: number } = {}) {
  const payload = JSON.stringify(event);
  const { secret = WEBHOOK_SECRET, timestamp } = options;
  const signature = dashboard.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  return { payload: Buffer.from(payload), signature };
}

function notice(intent: { id: string; metadata?: object }, id = `evt_${randomUUID()}`) {
  const object = { id: intent.id, object: 'payment_intent', metadata: intent.metadata ?? {}, status: 'canceled' };
  return { id, object: 'event', type: 'payment_intent.canceled', created: 1, data: { object } };
}

describe('what happened at the provider', () => {
  it('is followed when money is taken and given back there, in parts', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    await dashboard.paymentIntents.capture(payment.providerReference);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_CAPTURED'));
    await dashboard.refunds.create({ payment_intent: payment.providerReference, amount: 500 });
    await eventually(async () => {
      const { payment: now } = await shop.orders.getPayment({ orderId });
      expect(now).toMatchObject({ state: 'STATE_CAPTURED', refundedAmount: 500n });
    });
    await dashboard.refunds.create({ payment_intent: payment.providerReference });
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_REFUNDED'));
    await eventually(async () =>
      expect(await shop.published(orderId)).toEqual(['PaymentAuthorized', 'PaymentCaptured', 'PaymentRefunded']),
    );
  });

  it('is followed when an authorisation ends there', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    await dashboard.paymentIntents.cancel(payment.providerReference);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
  });

  it('makes an unknown outcome known, before or after the answer', async () => {
    const orderId = randomUUID();
    await shop.authorize(orderId, { token: 'pm_sandbox_timeoutAfterCharge' });
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED'));
    expect((await shop.psp.booksOf(orderId)).charges).toHaveLength(1);
  });

  it('is undone where a second intent holds money for the same payment', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    const metadata = { souk_payment_id: payment.paymentId, souk_order_id: orderId };
    const second = { amount: 1999, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, metadata };
    const authorized = await dashboard.paymentIntents.create({ ...second, capture_method: 'manual' });
    const captured = await dashboard.paymentIntents.create(second);
    await eventually(async () => {
      const { intents, refunds } = await shop.psp.booksOf(orderId);
      const statusOf = (id: string) => intents.find((intent) => intent.id === id)?.status;
      expect(statusOf(authorized.id)).toBe('canceled');
      expect(refunds).toMatchObject([{ payment_intent: captured.id, amount: 1999 }]);
      expect(statusOf(payment.providerReference)).toBe('requires_capture');
    });
    expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED');
  });
});

describe('notices', () => {
  it('that come twice, late or out of order are acted on once, by the present state', async () => {
    await shop.psp.addFault({ kind: 'duplicate_webhook', rate: 1 });
    await shop.psp.addFault({ kind: 'late_webhook', next: 1, delayMs: 700 });
    const { orderId, payment } = await shop.authorizedOrder();
    await dashboard.paymentIntents.capture(payment.providerReference);
    await eventually(async () => {
      const notices = await noticesOf(payment.providerReference);
      expect(notices.map(({ type }) => type).sort()).toEqual([
        'payment_intent.amount_capturable_updated',
        'payment_intent.succeeded',
      ]);
      notices.forEach(({ outcome }) => expect(['APPLIED', 'OLD_NEWS']).toContain(outcome));
    });
    await shop.psp.clearFaults();
    expect(await shop.stateOf(orderId)).toBe('STATE_CAPTURED');
    await eventually(async () =>
      expect(await shop.published(orderId)).toEqual(['PaymentAuthorized', 'PaymentCaptured']),
    );
    expect(shop.noticeAnswers.every((status) => status === 200)).toBe(true);
  });

  it('are not believed: a signed one that is wrong about the state changes nothing', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    const wrong = notice({ id: payment.providerReference });
    await shop.gateway.receiveWebhook(signed(wrong));
    await shop.gateway.receiveWebhook(signed(wrong));
    await eventually(async () => expect(await shop.postgres.database.query(BACKLOG)).toEqual([]));
    expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED');
  });

  it('are refused without a good signature, or when they are old', async () => {
    const { payload, signature } = signed(notice({ id: 'pi_forged' }));
    const refused = { kind: 'invalid', reason: 'WEBHOOK_SIGNATURE_INVALID' };
    const receive = (request: { payload: Buffer; signature: string }) => shop.gateway.receiveWebhook(request);
    await expect(receive({ payload, signature: '' })).rejects.toMatchObject(refused);
    await expect(receive({ payload: Buffer.from('{}'), signature })).rejects.toMatchObject(refused);
    await expect(receive(signed(notice({ id: 'pi_forged' }), { secret: 'whsec_other' }))).rejects.toMatchObject(
      refused,
    );
    const anHourAgo = Math.floor(Date.now() / 1000) - 3_600;
    await expect(receive(signed(notice({ id: 'pi_forged' }), { timestamp: anHourAgo }))).rejects.toMatchObject(refused);
    expect(await noticesOf('pi_forged')).toEqual([]);
    await expect(shop.orders.receiveWebhook(signed(notice({ id: 'pi_forged' })))).rejects.toMatchObject({
      reason: 'PERMISSION_DENIED',
    });
  });

  it('of unknown payments are kept as such', async () => {
    const intent = await dashboard.paymentIntents.create({
      amount: 100,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
    });
    await eventually(async () =>
      expect(await noticesOf(intent.id)).toEqual([{ type: 'payment_intent.succeeded', outcome: 'UNKNOWN_PAYMENT' }]),
    );
    await shop.gateway.receiveWebhook(
      signed({ id: 'evt_other', object: 'event', type: 'customer.created', data: { object: { id: 'cus_1' } } }),
    );
    await eventually(async () =>
      expect(await noticesOf('')).toEqual([{ type: 'customer.created', outcome: 'IGNORED' }]),
    );
  });
});

it('takes the money when the order is handed to the carrier, where the shop wants it so', async () => {
  const { orderId } = await shop.authorizedOrder();
  await shop.publish('souk.orders.v1.OrderFulfilled', fulfilledOrder(orderId));
  await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_CAPTURED'));
});
