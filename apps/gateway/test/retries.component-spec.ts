import { DomainError } from '@souk/errors';
import { aCart, aPayment, aProduct, aRefund, CART_ID, NOON, ORDER_ID, orderBody, placed } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';
import type { FakeAnswers } from './services.js';

let gateway: RunningGateway;

beforeEach(async () => void (gateway = await runGateway()));
afterEach(() => gateway.stop());

/** Lets one RPC fail as if its service had lost its database, so often. @returns the requests that arrived */
function away<S extends keyof FakeAnswers>(
  service: S,
  rpc: keyof FakeAnswers[S],
  times: number,
  answer?: object,
  reason = 'DATABASE_UNAVAILABLE',
) {
  const requests: { requestId?: string }[] = [];
  const fake = (request: { requestId?: string }) => {
    requests.push(request);
    if (requests.length <= times) {
      throw new DomainError({ kind: 'unavailable', reason, message: 'Away.' });
    }
    return answer;
  };
  (gateway.services.answers[service] as Record<keyof FakeAnswers[S], unknown>)[rpc] = fake;
  return requests;
}

const STOCK = { sku: 'LANTERN', onHand: 5, held: 0, available: 5, version: 2 };
const PRODUCT = { title: 'Lamp', variants: [{ sku: 'LAMP', title: 'Lamp', price: { amount: 100, currency: 'USD' } }] };
const PERSON = { email: 'noor@example.com', password: 'a long enough password', name: 'Noor' };
const IMPORTED = { headers: { 'content-type': 'text/csv' }, body: 'Handle\nlamp\n' };

it.each([
  ['POST', '/v1/orders', 'orders', 'placeOrder', orderBody(), placed()],
  [
    'POST',
    `/v1/orders/${ORDER_ID}/refunds`,
    'payments',
    'refundPayment',
    {},
    { refund: aRefund(), payment: aPayment() },
  ],
  ['POST', `/v1/orders/${ORDER_ID}/captures`, 'payments', 'capturePayment', {}, { payment: aPayment() }],
  ['POST', '/v1/stock/LANTERN/adjustments', 'inventory', 'adjustStock', { delta: 1 }, { stock: STOCK }],
  ['PUT', '/v1/stock/LANTERN', 'inventory', 'setStock', { onHand: 5 }, { stock: STOCK }],
] as const)('tries %s %s again under the same key (F12)', async (method, path, service, rpc, json, answer) => {
  const requests = away(service, rpc as never, 2, answer);
  const headers = { 'Idempotency-Key': 'key-1' };
  const response = await gateway.fetch(path, { method, json, headers, token: gateway.staff });
  expect(response.ok).toBe(true);
  expect(requests.map(({ requestId }) => requestId)).toEqual(['key-1', 'key-1', 'key-1']);
});

it.each([
  ['a count without a key', 'PUT', '/v1/stock/LANTERN', 'inventory', 'setStock', { onHand: 5 }, { stock: STOCK }],
  ['a new product without a key', 'POST', '/v1/products', 'catalog', 'createProduct', PRODUCT, { product: aProduct() }],
] as const)(
  'gives %s a key of its own, and tries again under that',
  async (_, method, path, service, rpc, json, answer) => {
    const requests = away(service, rpc as never, 1, answer);
    expect((await gateway.fetch(path, { method, json, token: gateway.staff })).ok).toBe(true);
    const [first, second] = requests;
    expect(first?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.requestId).toBe(first?.requestId);
  },
);

it('tries the hold of a cart again, which replaces itself', async () => {
  away('carts', 'holdCart', 1, { expireTime: NOON });
  expect((await gateway.fetch(`/v1/carts/${CART_ID}/hold`, { method: 'POST' })).status).toBe(200);
});

it('leaves an outage further down to the service that met it', async () => {
  const requests = away('orders', 'placeOrder', 1, placed(), 'SERVICE_UNAVAILABLE');
  const headers = { 'Idempotency-Key': 'key-1' };
  const response = await gateway.fetch('/v1/orders', { method: 'POST', json: orderBody(), headers });
  expect(response.status).toBe(503);
  expect(requests).toHaveLength(1);
});

it.each([
  ['POST', '/v1/carts', 'carts', 'createCart', {}],
  ['PUT', `/v1/carts/${CART_ID}/lines/LANTERN`, 'carts', 'setCartLine', { json: { quantity: 1 } }],
  ['DELETE', `/v1/carts/${CART_ID}`, 'carts', 'deleteCart', {}],
  ['PATCH', '/v1/products/lamp', 'catalog', 'updateProduct', { json: { title: 'Lamp' } }],
  ['DELETE', '/v1/products/lamp', 'catalog', 'deleteProduct', {}],
  ['POST', '/v1/products/import', 'catalog', 'importProducts', IMPORTED],
  ['POST', '/v1/auth/register', 'identity', 'register', { json: PERSON }],
  ['POST', '/v1/auth/login', 'identity', 'login', { json: { email: 'noor@example.com', password: 'secret' } }],
  ['POST', '/v1/auth/refresh', 'identity', 'refreshSession', { json: { refreshToken: 'r' } }],
] as const)('never sends %s %s a second time: it has no key (F12)', async (method, path, service, rpc, init) => {
  const requests = away(service, rpc as never, 1, { cart: aCart() });
  const response = await gateway.fetch(path, { method, token: gateway.staff, ...init });
  expect(response.status).toBe(503);
  expect(requests).toHaveLength(1);
});
