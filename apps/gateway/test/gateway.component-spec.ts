import { DomainError } from '@souk/errors';
import { metricsText } from '@souk/telemetry';
import { aProduct, ORDER_ID } from './builders.js';
import { openApiDocument } from '../src/openapi.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
}

describe('products', () => {
  beforeEach(() => {
    gateway.services.answers.catalog.getProduct = () => ({ product: aProduct() });
    gateway.services.answers.inventory.batchGetStock = () => ({
      stock: [{ sku: 'LANTERN', onHand: 5, held: 1, available: 4, version: 3 }],
    });
  });

  it('are listed with what is available, by one call to inventory', async () => {
    let asked: unknown;
    const skus: string[][] = [];
    gateway.services.answers.catalog.listProducts = (request) => {
      asked = request;
      return { products: [aProduct(), aProduct({ variants: [] })], nextPageToken: '' };
    };
    gateway.services.answers.inventory.batchGetStock = (request) => {
      skus.push(request.skus);
      return { stock: [{ sku: 'LANTERN', onHand: 5, held: 1, available: 4, version: 3 }] };
    };
    const response = await gateway.fetch('/v1/products?query=brass&limit=2');
    const page = (await response.json()) as { items: { variants: unknown[] }[]; nextCursor: unknown };
    expect(asked).toEqual({ query: 'brass', category: '', pageSize: 2, pageToken: '' });
    expect(skus).toEqual([['LANTERN', 'LANTERN-XL']]);
    expect(page.nextCursor).toBeNull();
    expect(page.items[0]?.variants).toEqual([
      { sku: 'LANTERN', title: 'LANTERN', options: [], price: { amount: 1999, currency: 'USD' }, available: 4 },
      { sku: 'LANTERN-XL', title: 'LANTERN-XL', options: [], price: { amount: 1999, currency: 'USD' }, available: 0 },
    ]);
  });

  it('refuses a page of 0 or of 101', async () => {
    for (const limit of ['0', '101', 'x']) {
      const response = await gateway.fetch(`/v1/products?limit=${limit}`);
      expect(response.status).toBe(400);
      expect(await problem(response)).toMatchObject({ errors: [{ field: 'limit' }] });
    }
  });

  it('have an ETag that changes with the stock', async () => {
    const first = await gateway.fetch('/v1/products/brass-lantern');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"7-/);
    const again = await gateway.fetch('/v1/products/brass-lantern', { headers: { 'If-None-Match': etag } });
    expect(again.status).toBe(304);
    gateway.services.answers.inventory.batchGetStock = () => ({ stock: [] });
    const sold = await gateway.fetch('/v1/products/brass-lantern', { headers: { 'If-None-Match': etag } });
    expect(sold.status).toBe(200);
  });

  it('are shown without stock while inventory is away', async () => {
    gateway.services.answers.inventory.batchGetStock = () => {
      throw new DomainError({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE', message: 'Away.' });
    };
    const response = await gateway.fetch('/v1/products/brass-lantern');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ variants: [{ available: null }, { available: null }] });
  });

  it('are changed by staff, tied to the version of If-Match', async () => {
    const versions: number[] = [];
    gateway.services.answers.catalog.updateProduct = ({ expectedVersion }) => {
      versions.push(expectedVersion);
      if (expectedVersion !== 7)
        throw new DomainError({ kind: 'mismatch', reason: 'VERSION_MISMATCH', message: 'Changed.' });
      return { product: aProduct({ version: 8 }) };
    };
    const patch = (etag: string) =>
      gateway.fetch('/v1/products/brass-lantern', {
        method: 'PATCH',
        token: gateway.staff,
        json: { title: 'Lantern' },
        headers: { 'If-Match': etag },
      });
    expect((await patch('"7-abc"')).status).toBe(200);
    const stale = await patch('"6"');
    expect(stale.status).toBe(412);
    expect(await problem(stale)).toMatchObject({ reason: 'VERSION_MISMATCH' });
    expect((await patch('"never-ours"')).status).toBe(412);
    expect(versions).toEqual([7, 6]);
  });

  it('are added by staff only', async () => {
    gateway.services.answers.catalog.createProduct = ({ product }) => ({
      product: { ...aProduct(), title: product?.title ?? '' },
      replayed: false,
    });
    const json = { title: 'Lamp', variants: [{ sku: 'LAMP', title: 'Lamp', price: { amount: 100, currency: 'USD' } }] };
    expect((await gateway.fetch('/v1/products', { method: 'POST', json })).status).toBe(401);
    expect((await gateway.fetch('/v1/products', { method: 'POST', json, token: gateway.customer })).status).toBe(403);
    const response = await gateway.fetch('/v1/products', { method: 'POST', json, token: gateway.staff });
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v1/products/${aProduct().productId}`);
    expect(await response.json()).toMatchObject({ title: 'Lamp' });
  });

  it('name each unknown and each wrong field', async () => {
    const json = { titel: 'Lamp', variants: [{ sku: 'LAMP', price: { amount: 1.5, currency: 'usd' } }] };
    const response = await gateway.fetch('/v1/products', { method: 'POST', json, token: gateway.staff });
    const { errors } = await problem(response);
    expect(errors).toEqual(
      expect.arrayContaining([
        { field: 'titel', message: 'is not a known field' },
        { field: 'title', message: 'is missing' },
        expect.objectContaining({ field: 'variants[0].price.amount' }),
        expect.objectContaining({ field: 'variants[0].price.currency' }),
      ]),
    );
    expect(errors).toHaveLength(4);
  });
});

describe('problems', () => {
  it('says what is wrong with a request that can not be read', async () => {
    const headers = { 'content-type': 'application/json', 'Idempotency-Key': 'k' };
    const send = (body: string, type = 'application/json') =>
      gateway.fetch('/v1/orders', { method: 'POST', body, headers: { ...headers, 'content-type': type } });
    expect(await problem(await send('{"lines": ['))).toMatchObject({ status: 400, reason: 'JSON_MALFORMED' });
    expect(await problem(await send('{}', 'text/plain'))).toMatchObject({ status: 415 });
    expect(await problem(await send(''))).toMatchObject({
      status: 400,
      errors: [{ field: 'body', message: 'is missing' }],
    });
    expect(await problem(await gateway.fetch('/v1/nothing'))).toMatchObject({ status: 404, reason: 'ROUTE_NOT_FOUND' });
    expect(await problem(await gateway.fetch('/v1/orders/%zz'))).toMatchObject({ status: 400 });
  });

  it('says nothing about a bug but the request id', async () => {
    gateway.services.answers.catalog.getProduct = () => {
      throw new Error('password=hunter2');
    };
    const response = await gateway.fetch('/v1/products/x', { headers: { 'X-Request-Id': 'abc' } });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('at ');
    expect(JSON.parse(text)).toMatchObject({ reason: 'INTERNAL', requestId: 'abc' });
    expect(response.headers.get('x-request-id')).toBe('abc');
  });

  it('answers 503 with Retry-After where a service is away, and 504 where it is too slow', async () => {
    for (const [reason, status, retryAfter] of [
      ['SERVICE_UNAVAILABLE', 503, '1'],
      ['DEADLINE_EXCEEDED', 504, null],
    ] as const) {
      gateway.services.answers.payments.getPayment = () => {
        throw new DomainError({ kind: 'unavailable', reason, message: 'Away.' });
      };
      const response = await gateway.fetch(`/v1/orders/${ORDER_ID}/payment`, { token: gateway.staff });
      expect(response.status).toBe(status);
      expect(response.headers.get('retry-after')).toBe(retryAfter);
    }
  });
});

describe('operations', () => {
  it('sets security headers and tells the rate limit', async () => {
    const { headers } = await gateway.fetch('/v1/categories');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('ratelimit-limit')).toBe('200000');
    expect(headers.get('ratelimit-remaining')).not.toBeNull();
  });

  it('serves the document and its viewer without help from elsewhere', async () => {
    const document = (await (await gateway.fetch('/openapi.json')).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.0');
    const page = await (await gateway.fetch('/docs')).text();
    expect(page).not.toMatch(/(src|href)=["']https?:/);
    for (const asset of ['swagger-ui-bundle.js', 'swagger-ui.css', 'swagger-ui-init.js']) {
      expect((await gateway.fetch(`/docs/${asset}`)).status).toBe(200);
    }
  });

  it('counts requests by route', async () => {
    await gateway.fetch('/livez');
    const metrics = await metricsText();
    expect(metrics).toContain('souk_http_request_duration_seconds_count{method="GET",route="/livez",status="200"}');
    expect(metrics).toContain('process_cpu_seconds_total');
    expect((await gateway.fetch('/metrics')).status).toBe(404);
  });

  it('is ready while every service answers, and says which one does not', async () => {
    expect((await gateway.fetch('/readyz')).status).toBe(200);
    gateway.services.stop('payments');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const response = await gateway.fetch('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ services: { payments: 'not serving', orders: 'serving' } });
  });
});

it('refuses tokens that nobody may believe on every route that looks at them', async () => {
  const { paths } = openApiDocument(gateway.app);
  const routes = Object.entries(paths).flatMap(([path, item]) =>
    (['get', 'put', 'post', 'patch', 'delete'] as const).flatMap((method) => {
      const operation = item[method] as { 'x-access'?: string[] } | undefined;
      return operation && !operation['x-access']?.includes('public') ? [{ method, path }] : [];
    }),
  );
  const bad = Object.entries(await gateway.identity.badTokens());
  for (const { method, path } of routes) {
    for (const [wrong, token] of bad) {
      const response = await gateway.fetch(path, { method: method.toUpperCase(), token });
      const answer = [response.status, (await problem(response)).reason];
      expect([method, path, wrong, ...answer]).toEqual([method, path, wrong, 401, 'TOKEN_INVALID']);
    }
  }
  expect(routes.length * bad.length).toBeGreaterThan(500);
});

describe('the rate limit', () => {
  it('is lower where passwords are guessed', async () => {
    const strict = await runGateway({ SOUK_AUTH_RATE_LIMIT: '2' });
    try {
      const attempt = () => strict.fetch('/v1/auth/login', { method: 'POST', json: {} });
      expect((await attempt()).status).toBe(400);
      expect((await attempt()).headers.get('ratelimit-remaining')).toBe('0');
      const refused = await attempt();
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).not.toBeNull();
      expect(await problem(refused)).toMatchObject({ reason: 'RATE_LIMITED' });
      expect((await strict.fetch('/.well-known/jwks.json')).status).toBe(200);
    } finally {
      await strict.stop();
    }
  });
});
