import { loadConfig, secret } from '@souk/config';
import { createLogger, metrics } from '@souk/telemetry';
import { z } from 'zod';
import { startManagement, type Health, type ManagementOptions, type ManagementServer } from './server.js';

const TOKEN = 'a token of some length';

let server: ManagementServer;
let health: Health;
let isStarted: boolean;

const options: ManagementOptions = {
  service: 'orders',
  host: '127.0.0.1',
  port: 0,
  token: TOKEN,
  logger: createLogger('management-test'),
  isStarted: () => isStarted,
  health: () => health,
  routes: () => [{ route: '/souk.orders.v1.OrdersService/PlaceOrder', access: 'public' }],
  consumers: () => [{ durable: 'orders-StockSold', type: 'souk.inventory.v1.StockSold' }],
};

beforeEach(async () => {
  server = await startManagement(options);
  health = { ready: true, parts: { database: 'ok' } };
  isStarted = true;
});
afterEach(() => server.close());

function ask(
  path: string,
  { method = 'GET', token = '', body }: { method?: string; token?: string; body?: string } = {},
) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers, ...(body !== undefined && { body }) });
}

const told = async (path: string) => (await ask(path, { token: TOKEN })).json() as Promise<Record<string, unknown>>;
const setLevel = (body: object) => ask('/log-level', { method: 'POST', token: TOKEN, body: JSON.stringify(body) });

it("serves the metrics in Prometheus' text form", async () => {
  metrics.gauge('payments_unsettled').set({ state: 'PROCESSING' }, 3);
  const response = await ask('/metrics');
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  expect(text).toContain('payments_unsettled{state="PROCESSING"} 3');
  expect(text).toContain('process_resident_memory_bytes');
});

it.each([
  ['GET', '/', 404],
  ['POST', '/metrics', 405],
  ['GET', '/profile', 405],
])('answers %s %s with %d', async (method, path, status) => {
  expect((await ask(path, { method })).status).toBe(status);
});

it('does not start on a port that is taken', async () => {
  await expect(startManagement({ ...options, port: server.port })).rejects.toThrow('EADDRINUSE');
});

it('tells everybody whether it lives, has started and is ready', async () => {
  const statuses = async () =>
    Promise.all(['/livez', '/startupz', '/readyz'].map(async (path) => (await ask(path)).status));
  expect(await statuses()).toEqual([200, 200, 200]);
  isStarted = false;
  health = { ready: false, parts: { database: 'away' } };
  expect(await statuses()).toEqual([200, 503, 503]);
  expect(await (await ask('/readyz')).json()).toEqual({ status: 'not ready', parts: { database: 'away' } });
});

it('tells what runs, and by a digest with which configuration', async () => {
  const first = await told('/info');
  expect(first).toMatchObject({ service: 'orders', version: 'development', node: process.version, pid: process.pid });
  loadConfig({ SOUK_TEST_WAIT: z.string().default('5') }, {});
  expect((await told('/info'))['config']).not.toBe(first['config']);
});

describe('what is not for everybody', () => {
  const closed = [
    ...['/config', '/routes', '/jobs', '/consumers', '/loggers'].map((path) => ['GET', path] as const),
    ...['/log-level', '/heap-snapshot', '/profile'].map((path) => ['POST', path] as const),
  ];

  it.each(closed)('%s %s is told to nobody without the token', async (method, path) => {
    expect((await ask(path, { method })).status).toBe(401);
    expect((await ask(path, { method, token: `${TOKEN}x` })).status).toBe(401);
  });

  it.each(closed)('%s %s is told to nobody at all where there is no token', async (method, path) => {
    await server.close();
    server = await startManagement({ ...options, token: undefined });
    expect((await ask(path, { method, token: 'undefined' })).status).toBe(403);
  });

  it('tells routes, consumers and jobs', async () => {
    expect(await told('/routes')).toEqual(options.routes());
    expect(await told('/consumers')).toEqual(options.consumers());
    expect(await told('/jobs')).toEqual([]);
  });
});

it('tells the configuration with its sources and without its secrets', async () => {
  const shape = {
    SOUK_TEST_PLAIN: z.string().default('x'),
    SOUK_TEST_GIVEN: z.coerce.number(),
    SOUK_TEST_SEALED: secret().optional(),
    SOUK_TEST_ABSENT: z.string().optional(),
    SOUK_TEST_API_KEY: z.string(),
    SOUK_TEST_URL: z.string(),
  };
  const SOUK_TEST_URL = 'postgres://souk:hunter2@db/souk?sslpassword=hunter2&x=1';
  loadConfig(shape, {
    SOUK_TEST_GIVEN: '7',
    SOUK_TEST_SEALED: 'hunter2'.repeat(3),
    SOUK_TEST_API_KEY: 'hunter2',
    SOUK_TEST_URL,
  });
  const config = await told('/config');
  expect(config).toMatchObject({
    SOUK_TEST_PLAIN: { value: 'x', source: 'default' },
    SOUK_TEST_GIVEN: { value: '7', source: 'environment' },
    SOUK_TEST_SEALED: { value: '[redacted]', source: 'environment' },
    SOUK_TEST_ABSENT: { value: null, source: 'not set' },
    SOUK_TEST_API_KEY: { value: '[redacted]', source: 'environment' },
    SOUK_TEST_URL: { value: 'postgres://souk:[redacted]@db/souk?sslpassword=[redacted]&x=1', source: 'environment' },
  });
  expect(JSON.stringify(config)).not.toContain('hunter2');
});

describe('the level of a log', () => {
  afterEach(() => jest.useRealTimers());

  it('changes for a while and then comes back', async () => {
    const logger = createLogger('level-test');
    logger.level = 'warn';
    const normal = (await told('/loggers'))['level-test'];
    jest.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] } as never);
    expect((await setLevel({ logger: 'level-test', level: 'debug', minutes: 5 })).status).toBe(200);
    expect(logger.level).toBe('debug');
    expect((await told('/loggers'))['level-test']).toMatchObject({
      level: 'debug',
      until: expect.any(String) as string,
    });
    jest.advanceTimersByTime(5 * 60_000);
    expect((await told('/loggers'))['level-test']).toEqual(normal);
    expect(logger.level).not.toBe('debug');
  });

  it.each([
    [{ logger: 'nobody', level: 'debug' }],
    [{ logger: 'management-test', level: 'loud' }],
    [{ logger: 'management-test', level: 'debug', minutes: 61 }],
    [{ logger: 'management-test', level: 'debug', minutes: 0.5 }],
    [{}],
  ])('does not change by %j', async (body) => {
    expect((await setLevel(body)).status).toBe(400);
  });

  it('refuses what is no JSON, and what is too long', async () => {
    expect((await ask('/log-level', { method: 'POST', token: TOKEN, body: 'debug' })).status).toBe(400);
    expect((await ask('/log-level', { method: 'POST', token: TOKEN, body: 'x'.repeat(2_000) })).status).toBe(413);
  });
});

it('takes one profile at a time, of so many seconds', async () => {
  expect((await ask('/profile?seconds=90', { method: 'POST', token: TOKEN })).status).toBe(400);
  const first = ask('/profile?seconds=1', { method: 'POST', token: TOKEN });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await ask('/heap-snapshot', { method: 'POST', token: TOKEN })).status).toBe(409);
  const profile = (await (await first).json()) as { nodes: unknown[] };
  expect(profile.nodes.length).toBeGreaterThan(1);
});
