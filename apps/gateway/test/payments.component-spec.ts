import type { Payment, Refund } from '@souk/proto/payments/v1';
import { aPayment, aRefund, NOON, ORDER_ID, REFUND_ID } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

const USD = (amount: number) => ({ amount, currency: 'USD' });

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

function post(what: 'captures' | 'refunds', json?: object): Promise<Response> {
  const headers = { 'Idempotency-Key': 'key-1' };
  const init = { method: 'POST', token: gateway.staff, headers, ...(json && { json }) };
  return gateway.fetch(`/v1/orders/${ORDER_ID}/${what}`, init);
}

describe('the payment of an order', () => {
  it('shows what was taken, given back and disputed', async () => {
    const captures = [{ sequence: 1, amount: 3998n, done: true, createTime: NOON }];
    const payment = aPayment({ captures, refunds: [aRefund()], refundedAmount: 500n, disputedAmount: 100n });
    gateway.services.answers.payments.getPayment = () => ({ payment });
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/payment`, { token: gateway.staff });
    const time = NOON.toISOString();
    expect(await response.json()).toMatchObject({
      state: 'CAPTURED',
      captured: USD(3998),
      refunded: USD(500),
      disputed: USD(100),
      captures: [{ sequence: 1, amount: USD(3998), done: true, createdAt: time }],
      refunds: [{ id: REFUND_ID, amount: USD(500), state: 'SUCCEEDED', reason: 'Torn.', createdAt: time }],
    });
  });
});

describe('a refund', () => {
  function answer(changes: Partial<Refund>): unknown[] {
    const asked: unknown[] = [];
    gateway.services.answers.payments.refundPayment = (request) => {
      asked.push(request);
      return { refund: aRefund(changes), payment: aPayment(), replayed: false };
    };
    return asked;
  }

  it('is answered with 201 and its address once the money went back', async () => {
    const asked = answer({});
    const response = await post('refunds', { amount: 500, reason: 'Torn.' });
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v1/orders/${ORDER_ID}/refunds/${REFUND_ID}`);
    expect(response.headers.get('retry-after')).toBeNull();
    expect(await response.json()).toMatchObject({ id: REFUND_ID, state: 'SUCCEEDED', amount: USD(500) });
    expect(asked).toEqual([{ orderId: ORDER_ID, amount: 500n, reason: 'Torn.', requestId: 'key-1' }]);
  });

  it('is answered with 202 while the provider has not answered, and can be asked for', async () => {
    answer({ state: 'STATE_PROCESSING' });
    const response = await post('refunds');
    expect(response.status).toBe(202);
    expect(response.headers.get('retry-after')).toBe('1');
    gateway.services.answers.payments.getPayment = () => ({ payment: aPayment({ refunds: [aRefund()] }) });
    const later = await gateway.fetch(response.headers.get('location') ?? '', { token: gateway.staff });
    expect(await later.json()).toMatchObject({ id: REFUND_ID, state: 'SUCCEEDED' });
    const other = await gateway.fetch(`/v1/orders/${ORDER_ID}/refunds/${ORDER_ID}`, { token: gateway.staff });
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({ reason: 'REFUND_NOT_FOUND' });
  });

  it('is a problem where the provider refuses it', async () => {
    answer({ state: 'STATE_FAILED' });
    const response = await post('refunds', { amount: 500 });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      reason: 'REFUND_FAILED',
      refund: { id: REFUND_ID, state: 'FAILED' },
    });
  });

  it('gives all of it back where no amount is named, and takes none that is no whole number of minor units', async () => {
    const asked = answer({});
    await post('refunds');
    expect(asked).toEqual([{ orderId: ORDER_ID, amount: 0n, reason: '', requestId: 'key-1' }]);
    for (const amount of [0, -1, 1.5, '5']) {
      const response = await post('refunds', { amount });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ field: 'amount' }] });
    }
  });
});

describe('a capture', () => {
  function answer(changes: Partial<Payment>): unknown[] {
    const asked: unknown[] = [];
    gateway.services.answers.payments.capturePayment = (request) => {
      asked.push(request);
      return { payment: aPayment(changes), replayed: false };
    };
    return asked;
  }

  it('takes a part and leaves the rest for later', async () => {
    const asked = answer({ captures: [{ sequence: 1, amount: 500n, done: true, createTime: NOON }] });
    const response = await post('captures', { amount: 500, moreToCome: true });
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v1/orders/${ORDER_ID}/payment`);
    expect(asked).toEqual([{ orderId: ORDER_ID, amount: 500n, moreToCome: true, requestId: 'key-1' }]);
  });

  it('is answered with 202 while the provider has not answered', async () => {
    answer({ captures: [{ sequence: 1, amount: 500n, done: false, createTime: NOON }] });
    const response = await post('captures');
    expect(response.status).toBe(202);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ captures: [{ done: false }] });
  });
});

describe('a notice of the provider', () => {
  it('is handed on byte by byte', async () => {
    let received: unknown;
    gateway.services.answers.payments.receiveWebhook = (request) => {
      received = { ...request, payload: request.payload.toString() };
      return {};
    };
    const body = '{ "id":  "evt_1" }';
    const headers = { 'content-type': 'application/json', 'stripe-signature': 't=1,v1=abc' };
    const response = await gateway.fetch('/v1/webhooks/stripe', { method: 'POST', body, headers });
    expect(response.status).toBe(200);
    expect(received).toEqual({ payload: body, signature: 't=1,v1=abc' });
  });
});
