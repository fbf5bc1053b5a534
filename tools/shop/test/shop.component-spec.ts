import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, shop, stubApi } from './shop-process.ts';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const LAMP = {
  slug: 'lamp',
  title: 'Lamp',
  vendor: '',
  descriptionHtml: '',
  variants: [{ sku: 'LAMP', title: 'Default', price: USD(1999), available: 3 }],
};
const LINE = { sku: 'LAMP', title: 'Lamp', quantity: 1, unitPrice: USD(1999), total: USD(1999) };
const ORDER = {
  id: 'o-1',
  number: 'S7K2',
  state: 'CONFIRMED',
  lines: [LINE],
  total: USD(1999),
  email: 'a@example.com',
};
const SHORT = {
  status: 409,
  detail: 'Too few.',
  reason: 'STOCK_SHORT',
  shortages: [{ sku: 'LAMP', requested: 2, available: 1 }],
};
const IMPORTED = { state: 'SUCCEEDED', rows: 2, imported: 1, created: 1, updated: 0, variants: 1, rejectedCount: 1 };
const session = (accessToken: string, roles: string[]) =>
  json(200, { accessToken, refreshToken: `r-${accessToken}`, expiresIn: 900, user: { email: 'a@example.com', roles } });

let api: Awaited<ReturnType<typeof stubApi>>;
let dataDir: string;
const souk = (...args: string[]) => shop(args, { SOUK_URL: api.url, SOUK_DATA_DIR: dataDir });
const buy = (...args: string[]) => souk('buy', 'LAMP', '--email', 'a@example.com', ...args);
const keys = () => api.requests.map(({ headers }) => headers['idempotency-key']);

beforeEach(async () => {
  api = await stubApi();
  dataDir = mkdtempSync(join(tmpdir(), 'souk-shop-'));
});

afterEach(async () => {
  await api.close();
  rmSync(dataDir, { recursive: true });
});

describe('exit codes', () => {
  it('0: prints what it found, without colours where there is no terminal', async () => {
    api.answers.set('GET /v1/products', json(200, { items: [LAMP], nextCursor: null }));
    const { code, stdout } = await souk('list');
    expect(code).toBe(0);
    expect(stdout).toBe('SLUG  TITLE   PRICE  VARIANTS  AVAILABLE\nlamp  Lamp   $19.99         1          3\n');
  });

  it('1: says what Souk refused', async () => {
    const problem = { status: 404, detail: 'There is no such product.', reason: 'PRODUCT_NOT_FOUND' };
    api.answers.set('GET /v1/products/carpet', json(404, problem));
    const { code, stderr } = await souk('show', 'carpet');
    expect(code).toBe(1);
    expect(stderr).toBe('Error: There is no such product. (PRODUCT_NOT_FOUND)\n');
  });

  it('2: does not understand', async () => {
    expect((await souk('frobnicate')).code).toBe(2);
    expect((await souk('buy', 'LAMP')).code).toBe(2);
  });

  it('3: nobody answers, and it says how to start Souk', async () => {
    const { code, stderr } = await shop(['list'], { SOUK_URL: 'http://127.0.0.1:9', SOUK_DATA_DIR: dataDir });
    expect(code).toBe(3);
    expect(stderr).toContain('Souk does not answer at http://127.0.0.1:9. Start it with `npm start`');
  });
});

describe('--json', () => {
  it('prints the document alone on stdout', async () => {
    const page = { items: [LAMP], nextCursor: 'more' };
    api.answers.set('GET /v1/products', json(200, page));
    const { stdout, stderr } = await souk('list', '--json');
    expect(JSON.parse(stdout)).toEqual(page);
    expect(stderr).toBe('');
  });

  it('prints the problem on stdout and its sentence on stderr', async () => {
    api.answers.set('POST /v1/orders', json(409, SHORT));
    const { code, stdout, stderr } = await souk('--json', 'buy', 'LAMP=2', '--email', 'a@example.com');
    expect([code, JSON.parse(stdout)]).toEqual([1, SHORT]);
    expect(stderr).toBe('Error: Too few. (STOCK_SHORT)\n');
  });
});

describe('buy', () => {
  it('keeps its key while no answer came, and takes a new one afterwards', async () => {
    api.answers.set('POST /v1/orders', (response) => response.destroy());
    expect((await buy()).code).toBe(3);
    api.answers.set('POST /v1/orders', json(503, { status: 503, detail: 'Later.' }));
    expect((await buy()).code).toBe(1);
    api.answers.set('POST /v1/orders', json(201, ORDER));
    expect((await buy()).code).toBe(0);
    expect((await buy()).code).toBe(0);
    const [first, second, third, fourth] = keys();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toBe(first);
  });

  it('does not share a key between different orders', async () => {
    api.answers.set('POST /v1/orders', (response) => response.destroy());
    await buy();
    await buy('--invoice');
    expect(new Set(keys()).size).toBe(2);
  });

  it("reads a guest's order later with the token that came with it", async () => {
    api.answers.set('POST /v1/orders', json(201, { ...ORDER, accessToken: 'guest-token' }));
    api.answers.set('GET /v1/orders/o-1', json(200, ORDER));
    await buy();
    expect((await souk('order', 'o-1')).code).toBe(0);
    expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer guest-token');
  });
});

describe('a login', () => {
  it('is kept where only its owner can read it, and renewed when it is refused', async () => {
    api.answers.set('POST /v1/auth/login', session('old', ['customer']));
    api.answers.set('POST /v1/auth/refresh', session('new', ['customer']));
    api.answers.set('GET /v1/orders', (response, request) => {
      const fresh = request.headers.authorization === 'Bearer new';
      json(fresh ? 200 : 401, fresh ? { items: [], nextCursor: null } : { status: 401 })(response, request);
    });
    expect((await souk('login', '--email', 'a@example.com', '--password', 'long enough')).code).toBe(0);
    expect(statSync(join(dataDir, 'shop.json')).mode & 0o777).toBe(0o600);
    expect((await souk('orders')).code).toBe(0);
    expect(readFileSync(join(dataDir, 'shop.json'), 'utf8')).toContain('r-new');
  });
});

describe('import', () => {
  beforeEach(() => {
    writeFileSync(join(dataDir, 'products.csv'), 'Handle\nlamp\n');
    writeFileSync(join(dataDir, 'secrets.json'), JSON.stringify({ adminPassword: 'made up' }));
    api.answers.set('POST /v1/auth/login', session('admin-token', ['admin']));
    api.answers.set('POST /v1/products/import', json(202, { id: 'i-1' }));
    api.answers.set('GET /v1/imports/i-1', json(200, { ...IMPORTED, rejected: [{ row: 3, reason: 'No title.' }] }));
  });

  it('acts as the local administrator, sends the file and says why rows were rejected', async () => {
    const { code, stdout, stderr } = await souk('import', join(dataDir, 'products.csv'));
    const upload = api.requests.find(({ route }) => route === 'POST /v1/products/import');
    expect([code, upload?.body, upload?.headers.authorization]).toEqual([0, 'Handle\nlamp\n', 'Bearer admin-token']);
    expect(stdout).toBe('products.csv: done: 2 rows, 1 product (1 new, 0 changed), 1 variant, 1 row rejected\n');
    expect(stderr).toBe('  line 3: No title.\n');
  });

  it('fails with --strict where a row was rejected', async () => {
    expect((await souk('import', '--strict', join(dataDir, 'products.csv'))).code).toBe(1);
  });

  it('does not start with a file that is missing', async () => {
    expect((await souk('import', join(dataDir, 'products.csv'), 'missing.csv')).code).toBe(2);
    expect(api.requests).toEqual([]);
  });
});

it('follow: prints each event once, and goes on after a stream that ended too early', async () => {
  const pending = 'id: 1\nevent: order\ndata: {"state":"PENDING"}\n\n';
  const confirmed = 'id: 2\nevent: order\ndata: {"state":"CONFIRMED"}\n\n';
  const streams = [pending, pending + confirmed];
  api.answers.set('GET /v1/orders/o-1/events', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streams.shift());
  });
  const { code, stdout } = await souk('follow', 'o-1', '--json');
  expect(code).toBe(0);
  expect(stdout).toBe('{"event":"order","data":{"state":"PENDING"}}\n{"event":"order","data":{"state":"CONFIRMED"}}\n');
});
