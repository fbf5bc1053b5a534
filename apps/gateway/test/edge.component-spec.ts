import { once } from 'node:events';
import { connect } from 'node:net';
import { DomainError } from '@souk/errors';
import { openApiDocument } from '../src/openapi.js';
import { anOrder, aProduct, CART_ID, ORDER_ID } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

const SHOP = 'https://shop.example';
const PUBLIC = new Set(['GET /v1/products', 'GET /v1/products/{product}', 'GET /v1/stock/{sku}']);
const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

let gateway: RunningGateway;

beforeAll(async () => {
  gateway = await runGateway({
    SOUK_CORS_ORIGINS: `${SHOP}, http://localhost:4000`,
    SOUK_TRUSTED_PROXIES: '127.0.0.1',
  });
  gateway.services.answers.orders.getOrder = () => ({ order: anOrder() });
  gateway.services.answers.catalog.getProduct = () => ({ product: aProduct() });
  gateway.services.answers.inventory.batchGetStock = () => ({ stock: [] });
});
afterAll(() => gateway.stop());

/** Every operation of the document, with something that fits into its path. */
function operations(fill: string): { name: string; method: string; path: string }[] {
  return Object.entries(openApiDocument(gateway.app).paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, fill),
    })),
  );
}

function checkHeaders({ headers }: Response): void {
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.get('x-request-id')).toMatch(/^[\w.:-]{1,128}$/);
  expect(headers.get('set-cookie')).toBeNull();
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('server')).toBeNull();
  expect(headers.get('location') ?? '/v1/orders').toMatch(/^\/v1\/[\w/-]+$/);
}

describe.each([ORDER_ID, '%2F%2Fevil.example%2F..', '..%2f..%2fevil.example', 'a'.repeat(1_200)])(
  'every route, asked for %s',
  (fill) => {
    it.each(['nobody', 'a customer', 'staff'])('by %s', async (who) => {
      const token = who === 'staff' ? gateway.staff : who === 'a customer' ? gateway.customer : '';
      const all = operations(fill);
      expect(all.length).toBeGreaterThan(50);
      for (const { name, method, path } of all) {
        if (name.endsWith('/events')) continue;
        const headers = {
          'x-forwarded-host': 'evil.example',
          'content-type': 'application/json',
          'Idempotency-Key': 'k',
        };
        const body = method === 'GET' ? null : '{}';
        const response = await gateway.fetch(path, {
          method,
          headers,
          body,
          ...(token && { token }),
          redirect: 'manual',
        });
        checkHeaders(response);
        expect([name, response.status >= 300 && response.status < 400]).toEqual([name, false]);
        const cache = response.headers.get('cache-control');
        if (!response.ok || !PUBLIC.has(name)) expect([name, cache]).toEqual([name, expectedCache(name, response)]);
        if (response.ok || path === '/readyz') continue;
        const type = path === '/v1/oauth/token' ? /json/ : /^application\/problem\+json$/;
        expect([name, response.headers.get('content-type')]).toEqual([name, expect.stringMatching(type)]);
        expect(await response.json()).toMatchObject({ reason: expect.any(String), requestId: expect.any(String) });
      }
    });
  },
);

function expectedCache(name: string, { ok }: Response): string {
  if (ok && name === 'GET /.well-known/jwks.json') return 'public, max-age=60';
  return ok && name === 'GET /v1/orders/{id}' ? 'private, no-cache' : 'no-store';
}

it("lets shared caches keep what is the same for everybody, and nobody's order", async () => {
  const product = await gateway.fetch('/v1/products/lamp');
  expect(product.headers.get('cache-control')).toBe('no-cache');
  const order = await gateway.fetch(`/v1/orders/${ORDER_ID}?accessToken=t`);
  expect(order.headers.get('cache-control')).toBe('private, no-cache');
  const headers = { 'if-none-match': order.headers.get('etag') ?? '' };
  const known = await gateway.fetch(`/v1/orders/${ORDER_ID}`, { headers, token: gateway.customer });
  expect([known.status, known.headers.get('cache-control')]).toEqual([304, 'private, no-cache']);
});

it('keeps no failure in a cache, nor the version of what failed', async () => {
  const keys = gateway.services.answers.identity.listSigningKeys!;
  gateway.services.answers.identity.listSigningKeys = () => {
    throw new DomainError({ kind: 'invalid', reason: 'NO', message: 'No.' });
  };
  const response = await gateway.fetch('/.well-known/jwks.json');
  gateway.services.answers.identity.listSigningKeys = keys;
  expect(response.status).toBe(400);
  expect(response.headers.get('cache-control')).toBe('no-store');
});

it('asks browsers to come by TLS alone, once they did', async () => {
  const hsts = async (path: string, headers: Record<string, string>) =>
    (await gateway.fetch(path, { headers })).headers.get('strict-transport-security');
  expect(await hsts('/v1/nothing', { 'x-forwarded-proto': 'https' })).toBe('max-age=31536000');
  expect(await hsts('/livez', { 'x-forwarded-proto': 'https' })).toBe('max-age=31536000');
  expect(await hsts('/livez', {})).toBeNull();
  const alone = await runGateway();
  const believed = await alone.fetch('/livez', { headers: { 'x-forwarded-proto': 'https' } });
  expect(believed.headers.get('strict-transport-security')).toBeNull();
  await alone.stop();
});

describe('a page of another origin', () => {
  it('may read the answers of a shop that is configured, refusals included', async () => {
    for (const path of ['/livez', '/v1/me', '/v1/nothing']) {
      const response = await gateway.fetch(path, { headers: { origin: SHOP } });
      checkHeaders(response);
      expect(response.headers.get('access-control-allow-origin')).toBe(SHOP);
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
      expect(response.headers.get('access-control-expose-headers')).toContain('ETag');
      expect(response.headers.get('vary')).toMatch(/origin/i);
    }
  });

  it.each(['https://evil.example', `${SHOP}.evil.example`, 'http://shop.example', 'null'])(
    'is refused: %s',
    async (origin) => {
      const response = await gateway.fetch('/livez', { headers: { origin } });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect((await preflight(origin, 'PATCH')).headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it.each(METHODS)('may %s, with the headers that the API knows', async (method) => {
    const response = await preflight(SHOP, method.toUpperCase());
    checkHeaders(response);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(response.headers.get('access-control-allow-methods')).toContain(method.toUpperCase());
    for (const header of ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match']) {
      expect(response.headers.get('access-control-allow-headers')).toContain(header);
    }
  });

  it('is let in by no gateway that was not told of it', async () => {
    const alone = await runGateway();
    const response = await alone.fetch('/livez', { headers: { origin: SHOP } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    await alone.stop();
  });

  function preflight(origin: string, method: string): Promise<Response> {
    const headers = {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization',
    };
    return gateway.fetch(`/v1/carts/${CART_ID}`, { method: 'OPTIONS', headers });
  }
});

it.each([
  ['no HTTP', 'HELO shop\r\n\r\n', 400, 'REQUEST_MALFORMED'],
  ['too many headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
    'REQUEST_MALFORMED',
  ],
])('answers %s with a problem, and hangs up', async (_, bytes, status, reason) => {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toContain('content-type: application/problem+json');
  expect(head).toContain('x-content-type-options: nosniff');
  expect(JSON.parse(body)).toMatchObject({ status, reason });
});
