import { DomainError } from '@souk/errors';
import { anOrder, ORDER_ID, orderBody, placed, CART_ID } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

function place(json: unknown = orderBody(), headers: Record<string, string> = { 'Idempotency-Key': 'key-1' }) {
  return gateway.fetch('/v1/orders', { method: 'POST', json, headers });
}

describe('placing an order', () => {
  it('answers a confirmed order with 201, its address, its version and the access token', async () => {
    let asked: unknown;
    gateway.services.answers.orders.placeOrder = (request) => {
      asked = request;
      return placed();
    };

    const response = await place();

    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v1/orders/${ORDER_ID}`);
    expect(response.headers.get('etag')).toBe('"2"');
    expect(response.headers.get('idempotency-replayed')).toBeNull();
    expect(await response.json()).toEqual({
      id: ORDER_ID,
      number: 'S7K2-M9QX',
      state: 'CONFIRMED',
      lines: [
        {
          sku: 'LANTERN',
          title: 'Brass lantern',
          quantity: 2,
          unitPrice: { amount: 1999, currency: 'USD' },
          total: { amount: 3998, currency: 'USD' },
        },
      ],
      total: { amount: 3998, currency: 'USD' },
      refunded: { amount: 0, currency: 'USD' },
      email: 'noor@example.com',
      shippingAddress: { name: 'Noor', line1: '12 Lane', city: 'Leipzig', postalCode: '04109', country: 'DE' },
      paymentMethod: 'card',
      version: 2,
      createdAt: '2026-03-01T12:00:00.000Z',
      updatedAt: '2026-03-01T12:00:00.000Z',
      accessToken: 'guest-token',
    });
    expect(asked).toMatchObject({ requestId: 'key-1', payment: { method: 'card', token: 'pm_card_visa' }, cartId: '' });
  });

  it('hands on which total the buyer was shown, and says with 409 where it is another one now (F10, I16)', async () => {
    let asked: unknown;
    gateway.services.answers.orders.placeOrder = (request) => {
      asked = request;
      const metadata = { expected: '3998', total: '4198', currency: 'USD' };
      throw new DomainError({ kind: 'refused', reason: 'TOTAL_CHANGED', message: 'It costs 41.98 USD now.', metadata });
    };
    const response = await place({ ...orderBody(), expectedTotal: { amount: 3998, currency: 'USD' } });
    expect(asked).toMatchObject({ expectedTotal: { amount: 3998n, currency: 'USD' } });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ reason: 'TOTAL_CHANGED', expected: '3998', total: '4198' });
  });

  it('answers an order that is not settled yet with 202 and when to ask again', async () => {
    gateway.services.answers.orders.placeOrder = () => placed({ state: 'STATE_PENDING', version: 1 });
    const response = await place();
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/v1/orders/${ORDER_ID}`);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ state: 'PENDING', accessToken: 'guest-token' });
  });

  it('tells which SKUs were short with 409', async () => {
    const shortages = [{ sku: 'LANTERN', requested: 2, available: 1 }];
    const rejection = {
      reason: 'STOCK_SHORT',
      message: 'There are too few.',
      shortages,
      declineCode: '',
      retryTime: undefined,
    };
    gateway.services.answers.orders.placeOrder = () => placed({ state: 'STATE_REJECTED', rejection });
    const response = await place();
    expect(response.status).toBe(409);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: 'https://souk.dev/problems/stock-short',
      title: 'Stock short',
      status: 409,
      detail: 'There are too few.',
      reason: 'STOCK_SHORT',
      requestId: response.headers.get('x-request-id'),
      orderId: ORDER_ID,
      shortages,
    });
  });

  it('tells why a card was declined with 402, also when the order is sent again', async () => {
    const rejection = {
      reason: 'PAYMENT_DECLINED',
      message: 'Declined.',
      shortages: [],
      declineCode: 'insufficient_funds',
      retryTime: undefined,
    };
    gateway.services.answers.orders.placeOrder = () => placed({ state: 'STATE_REJECTED', rejection }, true);
    const response = await place();
    expect(response.status).toBe(402);
    expect(response.headers.get('idempotency-replayed')).toBe('true');
    expect(await response.json()).toMatchObject({
      reason: 'PAYMENT_DECLINED',
      declineCode: 'insufficient_funds',
      orderId: ORDER_ID,
    });
  });

  it('refuses more cards after too many declined ones with 429, and says when to try again', async () => {
    const reason = 'PAYMENT_ATTEMPTS_EXCEEDED';
    const rejection = {
      reason,
      message: 'Too many.',
      shortages: [],
      declineCode: '',
      retryTime: new Date(Date.now() + 60_000),
    };
    gateway.services.answers.orders.placeOrder = ({ clientAddress }) => {
      expect(clientAddress).toBe('127.0.0.1');
      return placed({ state: 'STATE_REJECTED', rejection });
    };
    const response = await place();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(55);
    expect(await response.json()).toMatchObject({ reason, orderId: ORDER_ID, retryAfter: expect.any(Number) });
  });

  it('marks the answer to a repeated request', async () => {
    gateway.services.answers.orders.placeOrder = () => placed({}, true);
    const response = await place();
    expect(response.status).toBe(201);
    expect(response.headers.get('idempotency-replayed')).toBe('true');
  });

  it('refuses a key that was used for another order with 422 (F4)', async () => {
    gateway.services.answers.orders.placeOrder = () => {
      throw new DomainError({ kind: 'conflict', reason: 'REQUEST_ID_REUSED', message: 'The key was used.' });
    };
    const response = await place();
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('refuses an order without a key with 400, whatever else is wrong with it', async () => {
    for (const body of [orderBody(), {}]) {
      const response = await place(body, {});
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ reason: 'IDEMPOTENCY_KEY_MISSING' });
    }
  });

  it('takes nobody whose login has ended for a guest, and places the order once he is back (F11)', async () => {
    const keys: string[] = [];
    gateway.services.answers.orders.placeOrder = ({ requestId }) => {
      keys.push(requestId);
      return placed();
    };
    const headers = { 'Idempotency-Key': 'key-1' };
    const send = (token: string) => gateway.fetch('/v1/orders', { method: 'POST', json: orderBody(), headers, token });
    const ended = await send('not.valid.anymore');
    expect(ended.status).toBe(401);
    expect(await ended.json()).toMatchObject({ reason: 'TOKEN_INVALID' });
    expect(keys).toEqual([]);
    expect((await send(gateway.customer)).status).toBe(201);
    expect(keys).toEqual(['key-1']);
  });

  it('names every wrong field at once', async () => {
    const response = await place({
      lines: [
        { sku: 'LANTERN', quantity: 0 },
        { sku: '', quantity: -1 },
      ],
      cartId: CART_ID,
      email: 'noor',
      shippingAddress: { name: 'Noor', line1: '12 Lane', city: 'Leipzig', country: 'Germany' },
      payment: { method: 'card' },
      coupon: 'FREE',
    });
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { reason: string; errors: { field: string; message: string }[] };
    expect(problem.reason).toBe('INVALID_ARGUMENT');
    expect(problem.errors.map(({ field }) => field).sort()).toEqual([
      'coupon',
      'email',
      'lines',
      'lines[0].quantity',
      'lines[1].quantity',
      'lines[1].sku',
      'payment.token',
      'shippingAddress.country',
    ]);
  });

  it('passes on what the service finds wrong, by the names of the REST fields', async () => {
    gateway.services.answers.orders.placeOrder = () => {
      throw new DomainError({
        kind: 'invalid',
        reason: 'INVALID_ARGUMENT',
        message: 'No.',
        violations: [{ field: 'shipping_address.postal_code', description: 'is too long' }],
      });
    };
    const response = await place();
    expect(await response.json()).toMatchObject({
      errors: [{ field: 'shippingAddress.postalCode', message: 'is too long' }],
    });
  });

  it('passes the request id, the trace and the person on, and proves to be the gateway', async () => {
    let metadata: Record<string, unknown> = {};
    gateway.services.answers.orders.placeOrder = (_request, given) => {
      metadata = given.getMap();
      return placed();
    };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'Idempotency-Key': 'k', 'X-Request-Id': 'req-7', traceparent };
    await gateway.fetch('/v1/orders', { method: 'POST', json: orderBody(), headers, token: gateway.customer });
    expect(metadata).toMatchObject({
      'x-request-id': 'req-7',
      'souk-caller': 'gateway',
      'souk-service-token': 'a-service-token-for-tests',
      authorization: `Bearer ${gateway.customer}`,
    });
    expect(String(metadata['traceparent'])).toContain('0af7651916cd43dd8448eb211c80319c');
  });
});

describe('reading an order', () => {
  it('takes the access token of a guest as bearer token and in the address', async () => {
    const tokens: string[] = [];
    gateway.services.answers.orders.getOrder = ({ accessToken }) => {
      tokens.push(accessToken);
      return { order: anOrder() };
    };
    await gateway.fetch(`/v1/orders/${ORDER_ID}`, { token: 'guest-token' });
    await gateway.fetch(`/v1/orders/${ORDER_ID}?accessToken=guest-token-2`);
    await gateway.fetch(`/v1/orders/${ORDER_ID}`, { token: gateway.customer });
    expect(tokens).toEqual(['guest-token', 'guest-token-2', '']);
  });

  it('answers 304 to who has the present version', async () => {
    gateway.services.answers.orders.getOrder = () => ({ order: anOrder() });
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}`, { headers: { 'If-None-Match': '"2"' } });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe('');
  });

  it('refuses an identifier that is no UUID, and an order that is not there', async () => {
    const wrong = await gateway.fetch('/v1/orders/17');
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ errors: [{ field: 'id', message: 'is not a UUID' }] });
    gateway.services.answers.orders.getOrder = () => {
      throw new DomainError({ kind: 'not_found', reason: 'ORDER_NOT_FOUND', message: 'There is no such order.' });
    };
    const missing = await gateway.fetch(`/v1/orders/${ORDER_ID}`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({
      reason: 'ORDER_NOT_FOUND',
      type: 'https://souk.dev/problems/order-not-found',
    });
  });

  it('tells what happened', async () => {
    gateway.services.answers.orders.getOrder = () => ({ order: anOrder() });
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/timeline`);
    expect(await response.json()).toEqual({
      items: [{ kind: 'PLACED', time: '2026-03-01T12:00:00.000Z', detail: '' }],
    });
  });

  it('lists the orders of whoever is logged in', async () => {
    let asked: unknown;
    gateway.services.answers.orders.listOrders = (request) => {
      asked = request;
      return { orders: [anOrder()], nextPageToken: 'more' };
    };
    expect((await gateway.fetch('/v1/orders')).status).toBe(401);
    const response = await gateway.fetch('/v1/orders?limit=5&state=CONFIRMED', { token: gateway.customer });
    expect(await response.json()).toMatchObject({ items: [{ id: ORDER_ID }], nextCursor: 'more' });
    expect(asked).toEqual({ pageSize: 5, pageToken: '', state: 'STATE_CONFIRMED' });
  });
});

describe('following an order', () => {
  it('sends the present order first, then each change, and ends with the last state', async () => {
    const states = ['STATE_PENDING', 'STATE_PENDING', 'STATE_CONFIRMED', 'STATE_FULFILLED'] as const;
    let reads = 0;
    gateway.services.answers.orders.getOrder = () => {
      const state = states[Math.min(reads++, 3)] ?? 'STATE_FULFILLED';
      return { order: anOrder({ state, version: states.indexOf(state) + 1 }) };
    };
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/events?accessToken=guest-token`);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = (await response.text()).trim().split('\n\n');
    expect(events.map((event) => event.split('\n').slice(0, 2))).toEqual([
      ['event: order', 'id: 1'],
      ['event: order', 'id: 3'],
      ['event: order', 'id: 4'],
    ]);
    expect(JSON.parse(events[2]?.split('data: ')[1] ?? '')).toMatchObject({ id: ORDER_ID, state: 'FULFILLED' });
  });

  it('ends with an order of which money went back', async () => {
    gateway.services.answers.orders.getOrder = () => ({
      order: anOrder({ state: 'STATE_REFUNDED', refundedAmount: 500n }),
    });
    const events = (await (await gateway.fetch(`/v1/orders/${ORDER_ID}/events`)).text()).trim().split('\n\n');
    expect(events).toHaveLength(1);
    expect(JSON.parse(events[0]?.split('data: ')[1] ?? '')).toMatchObject({
      state: 'REFUNDED',
      refunded: { amount: 500, currency: 'USD' },
    });
  });

  it('answers with a problem where there is no such order', async () => {
    gateway.services.answers.orders.getOrder = () => {
      throw new DomainError({ kind: 'not_found', reason: 'ORDER_NOT_FOUND', message: 'There is no such order.' });
    };
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/events`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  it('stops asking once the client is gone', async () => {
    let reads = 0;
    gateway.services.answers.orders.getOrder = () => {
      reads += 1;
      return { order: anOrder({ state: 'STATE_PENDING' }) };
    };
    const leaving = new AbortController();
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/events`, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const readsAfter = reads;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(reads).toBe(readsAfter);
  });
});

describe('changing an order', () => {
  it('calls an order off for the guest who placed it', async () => {
    gateway.services.answers.orders.cancelOrder = ({ accessToken }) => ({
      order: anOrder({ state: accessToken === 'guest-token' ? 'STATE_CANCELLED' : 'STATE_CONFIRMED' }),
      replayed: false,
    });
    const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/cancel`, { method: 'POST', token: 'guest-token' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ state: 'CANCELLED' });
  });

  it('lets staff alone mark it as sent off, with or without a body', async () => {
    const tracked: string[] = [];
    gateway.services.answers.orders.fulfillOrder = ({ tracking }) => {
      tracked.push(tracking);
      return { order: anOrder({ state: 'STATE_FULFILLED' }), replayed: false };
    };
    const path = `/v1/orders/${ORDER_ID}/fulfill`;
    expect((await gateway.fetch(path, { method: 'POST', token: gateway.customer })).status).toBe(403);
    expect((await gateway.fetch(path, { method: 'POST', token: gateway.staff })).status).toBe(200);
    await gateway.fetch(path, { method: 'POST', token: gateway.staff, json: { tracking: 'DHL 1' } });
    expect(tracked).toEqual(['', 'DHL 1']);
  });
});
