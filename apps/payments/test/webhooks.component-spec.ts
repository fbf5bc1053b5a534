import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import type Stripe from 'stripe';
import { fulfilledOrder } from './order-fixture.js';
import { PaymentsUnderTest, WEBHOOK_SECRET } from './payments-under-test.js';

let shop: PaymentsUnderTest;
let dashboard: Stripe;

beforeAll(async () => {
  shop = await PaymentsUnderTest.start({ capture: 'fulfilment' });
  dashboard = shop.dashboard;
});
afterAll(() => shop.stop());
afterEach(() => shop.psp.clearFaults());

const NOTICES = sql('test.notices', 'SELECT type, outcome FROM webhook_inbox WHERE reference = $1 ORDER BY event_id');
const BACKLOG = sql('test.backlog', 'SELECT event_id FROM webhook_inbox WHERE next_try_at IS NOT NULL');

/** As a process does that works on it, for longer than a notice waits at a time. */
const OCCUPY = sql('test.occupy', `UPDATE payments SET lease_until = now() + interval '3 s' WHERE order_id = $1`);
const WAITING = sql(
  'test.waiting',
  `SELECT tries FROM webhook_inbox WHERE reference = $1 AND type = 'payment_intent.canceled' AND next_try_at IS NOT NULL`,
);

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
      expect(await shop.published(orderId)).toEqual([
        'PaymentAuthorized',
        'PaymentCaptured',
        'PaymentRefunded',
        'PaymentRefunded',
      ]),
    );
    const { refunds } = await shop.paymentOf(orderId);
    expect(refunds.map(({ amount, state }) => [amount, state])).toEqual([
      [500n, 'STATE_SUCCEEDED'],
      [1499n, 'STATE_SUCCEEDED'],
    ]);
  });

  it('is followed when money is taken there in parts (F48)', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    await dashboard.paymentIntents.capture(payment.providerReference, { amount_to_capture: 500, final_capture: false });
    await eventually(async () =>
      expect(await shop.paymentOf(orderId)).toMatchObject({ state: 'STATE_AUTHORIZED', capturedAmount: 500n }),
    );
    const { payment: captured } = await shop.capture(orderId);
    expect(captured?.captures).toMatchObject([{ amount: 500n }, { amount: 1499n }]);
  });

  it('is followed when an authorisation ends there (F51)', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    await dashboard.paymentIntents.cancel(payment.providerReference);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
  });

  it('waits its turn behind whoever works on the payment, and counts no try', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    const { database } = shop.postgres;
    await database.query(OCCUPY, [orderId]);
    await dashboard.paymentIntents.cancel(payment.providerReference);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const waiting = await database.query<{ tries: number }>(WAITING, [payment.providerReference]);
    expect(waiting).toHaveLength(1);
    expect(waiting[0]!.tries).toBeLessThanOrEqual(1);
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_VOIDED'));
  });

  it('makes an unknown outcome known, before or after the answer (F40, F43)', async () => {
    const orderId = randomUUID();
    await shop.authorize(orderId, { token: 'pm_sandbox_timeoutAfterCharge' });
    await eventually(async () => expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED'));
    expect((await shop.psp.booksOf(orderId)).charges).toHaveLength(1);
  });

  it('is undone where a second intent holds money for the same payment (F47)', async () => {
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

describe('money that a bank takes back', () => {
  const LEDGER = sql(
    'test.ledger',
    `SELECT debit, credit, ledger.amount FROM ledger JOIN payments USING (payment_id) WHERE order_id = $1 ORDER BY booked_at, entry_id`,
  );
  const disputedOf = async (orderId: string) => (await shop.paymentOf(orderId)).disputedAmount;

  it('is noted, booked and told, and so is its return (F52)', async () => {
    const { orderId, payment } = await shop.capturedOrder();
    const about = { payment_intent: payment.providerReference, amount: 500 };
    const answer = await shop.psp.happen('disputes', about);
    await eventually(async () => expect(await disputedOf(orderId)).toBe(500n));
    expect((await shop.refund(orderId)).refund?.state).toBe('STATE_FAILED');
    const { id } = (await answer.json()) as { id: string };
    await shop.psp.happen('disputes/close', { dispute: id, status: 'won' });
    await eventually(async () => expect(await disputedOf(orderId)).toBe(0n));
    expect(await shop.postgres.database.query(LEDGER, [orderId])).toEqual([
      { debit: 'clearing:card', credit: 'sales', amount: 1999n },
      { debit: 'disputes', credit: 'clearing:card', amount: 500n },
      { debit: 'clearing:card', credit: 'disputes', amount: 500n },
    ]);
    const events = ['PaymentAuthorized', 'PaymentCaptured', 'PaymentDisputed', 'PaymentDisputed'];
    await eventually(async () => expect(await shop.published(orderId)).toEqual(events));
  });

  it('stays noted where the dispute is lost (F52)', async () => {
    const { orderId, payment } = await shop.capturedOrder();
    const answer = await shop.psp.happen('disputes', { payment_intent: payment.providerReference });
    const { id } = (await answer.json()) as { id: string };
    await shop.psp.happen('disputes/close', { dispute: id, status: 'lost' });
    await eventually(async () => {
      const notices = await noticesOf(payment.providerReference);
      const closed = notices.find(({ type }) => type === 'charge.dispute.closed');
      expect(closed?.outcome).toBe('APPLIED');
    });
    expect(await disputedOf(orderId)).toBe(1999n);
  });
});

it('sends money back that was set aside for the payment over another amount (F53)', async () => {
  const orderId = randomUUID();
  await shop.psp.addFault({ kind: 'timeout_before_charge', rate: 1, operation: 'create' });
  const { payment } = await shop.authorize(orderId);
  expect(payment?.state).toBe('STATE_PROCESSING');
  await shop.psp.clearFaults();
  const metadata = { souk_payment_id: payment!.paymentId, souk_order_id: orderId };
  const other = { amount: 5, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, metadata };
  const wrong = await dashboard.paymentIntents.create({ ...other, capture_method: 'manual' });
  await eventually(async () => {
    const { intents } = await shop.psp.booksOf(orderId);
    expect(intents.find(({ id }) => id === wrong.id)?.status).toBe('canceled');
    expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED');
  });
  expect((await shop.paymentOf(orderId)).providerReference).not.toBe(wrong.id);
});

describe('notices', () => {
  it('that come before the answer, or with it, change nothing twice (F43, F46)', async () => {
    const orderId = randomUUID();
    // Charged, and told of, at once; answered a while later.
    const { payment } = await shop.authorize(orderId, { token: 'pm_sandbox_slow_500' });
    expect(payment).toMatchObject({ state: 'STATE_AUTHORIZED', version: 2 });
    await eventually(async () => {
      const [notice] = await noticesOf(payment!.providerReference);
      expect(['APPLIED', 'OLD_NEWS']).toContain(notice?.outcome);
    });
    expect(await shop.paymentOf(orderId)).toEqual(payment);
    await eventually(async () => expect(await shop.published(orderId)).toEqual(['PaymentAuthorized']));
  });

  it('that come twice, late or out of order are acted on once, by the present state (F44)', async () => {
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

  it('are not believed: a signed one that is wrong about the state changes nothing (F44)', async () => {
    const { orderId, payment } = await shop.authorizedOrder();
    const wrong = notice({ id: payment.providerReference });
    await shop.gateway.receiveWebhook(signed(wrong));
    await shop.gateway.receiveWebhook(signed(wrong));
    await eventually(async () => expect(await shop.postgres.database.query(BACKLOG)).toEqual([]));
    expect(await shop.stateOf(orderId)).toBe('STATE_AUTHORIZED');
  });

  it('are refused without a good signature, or when they are old (F44)', async () => {
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

  it('of unknown payments are kept as such (F44)', async () => {
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
