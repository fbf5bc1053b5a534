import { randomUUID } from 'node:crypto';
import { DomainError } from '@souk/errors';
import { anOrder, aPayment, aProduct, aRefund, ORDER_ID, orderBody, placed } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

const PRODUCT = { title: 'Lamp', variants: [{ sku: 'LAMP', title: 'Lamp', price: { amount: 100, currency: 'USD' } }] };
const STOCK = { sku: 'LANTERN', onHand: 5, held: 0, available: 5, version: 2 };

interface KeyedRoute {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly json?: object;
  /** Lets the fake answer, with the key that it was asked with handed to `seen`. */
  answer(seen: (key: string) => { replayed: boolean }): void;
}

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

const order = (path: string) => `/v1/orders/${ORDER_ID}/${path}`;

const REQUIRED: readonly [KeyedRoute, ...KeyedRoute[]] = [
  {
    method: 'POST',
    path: '/v1/orders',
    json: orderBody(),
    answer: (seen) =>
      (gateway.services.answers.orders.placeOrder = ({ requestId }) => placed({}, seen(requestId).replayed)),
  },
  {
    method: 'POST',
    path: order('refunds'),
    answer: (seen) =>
      (gateway.services.answers.payments.refundPayment = ({ requestId }) => ({
        refund: aRefund(),
        payment: aPayment(),
        ...seen(requestId),
      })),
  },
  {
    method: 'POST',
    path: order('captures'),
    answer: (seen) =>
      (gateway.services.answers.payments.capturePayment = ({ requestId }) => ({
        payment: aPayment(),
        ...seen(requestId),
      })),
  },
  {
    method: 'POST',
    path: '/v1/stock/LANTERN/adjustments',
    json: { delta: 1 },
    answer: (seen) =>
      (gateway.services.answers.inventory.adjustStock = ({ requestId }) => ({ stock: STOCK, ...seen(requestId) })),
  },
];

const OPTIONAL: readonly KeyedRoute[] = [
  {
    method: 'POST',
    path: '/v1/products',
    json: PRODUCT,
    answer: (seen) =>
      (gateway.services.answers.catalog.createProduct = ({ requestId }) => ({
        product: aProduct(),
        ...seen(requestId),
      })),
  },
  {
    method: 'POST',
    path: order('cancel'),
    answer: (seen) =>
      (gateway.services.answers.orders.cancelOrder = ({ requestId }) => ({ order: anOrder(), ...seen(requestId) })),
  },
  {
    method: 'POST',
    path: order('fulfill'),
    answer: (seen) =>
      (gateway.services.answers.orders.fulfillOrder = ({ requestId }) => ({ order: anOrder(), ...seen(requestId) })),
  },
  {
    method: 'PUT',
    path: '/v1/stock/LANTERN',
    json: { onHand: 5 },
    answer: (seen) =>
      (gateway.services.answers.inventory.setStock = ({ requestId }) => ({ stock: STOCK, ...seen(requestId) })),
  },
];

function send({ method, path, json }: KeyedRoute, key?: string): Promise<Response> {
  const headers: Record<string, string> = key === undefined ? {} : { 'Idempotency-Key': key };
  return gateway.fetch(path, { method, token: gateway.staff, headers, ...(json && { json }) });
}

describe.each([...REQUIRED, ...OPTIONAL])('$method $path', (route) => {
  it('hands the key on, and says when an answer was given before (F3)', async () => {
    const keys: string[] = [];
    const used = new Set<string>();
    route.answer((key) => {
      const replayed = used.has(key);
      keys.push(key);
      used.add(key);
      return { replayed };
    });
    const key = randomUUID();
    const [first, second] = [await send(route, key), await send(route, key)];
    expect([first.ok, second.status]).toEqual([true, first.status]);
    expect(keys).toEqual([key, key]);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  it('refuses a key that was used for another request with 422 (F4)', async () => {
    route.answer(() => {
      throw new DomainError({ kind: 'conflict', reason: 'REQUEST_ID_REUSED', message: 'The key was used.' });
    });
    const response = await send(route, 'key-1');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ status: 422, reason: 'REQUEST_ID_REUSED' });
  });

  it('refuses a key that is too long or not printable, and names the header', async () => {
    for (const key of ['x'.repeat(256), 'caf\u00e9']) {
      const response = await send(route, key);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        reason: 'INVALID_ARGUMENT',
        errors: [{ field: 'Idempotency-Key' }],
      });
    }
  });

  it('names the header where the service finds the key wrong', async () => {
    route.answer(() => {
      const violations = [{ field: 'request_id', description: 'is longer than 100 characters' }];
      throw new DomainError({ kind: 'invalid', reason: 'INVALID_ARGUMENT', message: 'No.', violations });
    });
    expect(await (await send(route, 'key-1')).json()).toMatchObject({
      errors: [{ field: 'Idempotency-Key', message: 'is longer than 100 characters' }],
    });
  });
});

it('asks to come back where the first request with the key is still under way (F5)', async () => {
  const [route] = REQUIRED;
  route.answer(() => {
    throw new DomainError({ kind: 'unavailable', reason: 'REQUEST_IN_PROGRESS', message: 'Still worked on.' });
  });
  const response = await send(route, 'key-1');
  expect(response.status).toBe(409);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await response.json()).toMatchObject({ reason: 'REQUEST_IN_PROGRESS' });
});

it.each(REQUIRED)('$method $path is refused without a key', async (route) => {
  const response = await send(route);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ reason: 'IDEMPOTENCY_KEY_MISSING' });
});

it.each(OPTIONAL)('$method $path does without a key', async (route) => {
  route.answer(() => ({ replayed: false }));
  expect((await send(route)).ok).toBe(true);
});

it('documents the key wherever one is taken', async () => {
  const { paths } = (await (await gateway.fetch('/openapi.json')).json()) as {
    paths: Record<string, Record<string, { parameters: object[]; responses: Record<string, { description: string }> }>>;
  };
  const routes = [
    ...REQUIRED.map((route) => [route, true] as const),
    ...OPTIONAL.map((route) => [route, false] as const),
  ];
  for (const [{ method, path }, required] of routes) {
    const documented = paths[path.replace(ORDER_ID, '{id}').replace('LANTERN', '{sku}')]?.[method.toLowerCase()];
    expect(documented?.parameters).toContainEqual(expect.objectContaining({ name: 'Idempotency-Key', required }));
    expect(documented?.responses['409']?.description).toContain('REQUEST_IN_PROGRESS');
    expect(documented?.responses['422']?.description).toContain('REQUEST_ID_REUSED');
  }
});
