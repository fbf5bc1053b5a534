import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, shop, stubApi, type Answer } from './shop-process.ts';

const USD = (amount: number) => ({ amount, currency: 'USD' });
const ORDER = { id: 'o-1', number: 'S7K2', state: 'CONFIRMED', lines: [], total: USD(1999), email: 'a@example.com' };
const PAYMENT = {
  state: 'CAPTURED',
  method: 'card',
  amount: USD(1999),
  captured: USD(1999),
  refunded: USD(0),
  disputed: USD(0),
  refunds: [],
};
const REFUND = { id: 'r-1', amount: USD(500), state: 'SUCCEEDED' };
const STOCK = { sku: 'LAMP', onHand: 5, held: 0, available: 5 };
const SESSION = { refreshToken: 'r', expiresIn: 900, user: { email: 'admin@souk.local', roles: ['admin'] } };

const lost: Answer = (response) => response.destroy();

let api: Awaited<ReturnType<typeof stubApi>>;
let dataDir: string;
const environment = () => ({ SOUK_URL: api.url, SOUK_DATA_DIR: dataDir });
const souk = (...args: string[]) => shop(args, environment());

beforeEach(async () => {
  api = await stubApi();
  dataDir = mkdtempSync(join(tmpdir(), 'souk-shop-'));
  writeFileSync(join(dataDir, 'secrets.json'), JSON.stringify({ adminPassword: 'made up' }));
  api.answers.set('POST /v1/auth/login', json(200, { accessToken: 'admin-token', ...SESSION }));
  api.answers.set('GET /v1/orders/o-1/payment', json(200, PAYMENT));
});

afterEach(async () => {
  await api.close();
  rmSync(dataDir, { recursive: true });
});

/** Runs one command once for each answer. @returns the keys that were sent */
async function keysOf(route: string, args: string[], answers: Answer[]): Promise<unknown[]> {
  for (const answer of answers) {
    api.answers.set(route, answer);
    await souk(...args);
  }
  return api.requests.filter((request) => request.route === route).map(({ headers }) => headers['idempotency-key']);
}

it.each([
  ['POST /v1/orders', ['buy', 'LAMP', '--email', 'a@example.com'], ORDER],
  ['POST /v1/orders/o-1/cancel', ['cancel', 'o-1'], ORDER],
  ['POST /v1/orders/o-1/fulfill', ['fulfill', 'o-1', '--tracking', 'DHL 1'], ORDER],
  ['POST /v1/orders/o-1/captures', ['capture', 'o-1', '--amount', '5', '--more-to-come'], PAYMENT],
  ['POST /v1/orders/o-1/refunds', ['refund', 'o-1', '--amount', '5.00', '--reason', 'Torn.'], REFUND],
  ['POST /v1/stock/LAMP/adjustments', ['stock', 'LAMP', '--adjust', '-3', '--reason', 'Broken.'], STOCK],
])('%s keeps its key until Souk has answered (F2, F3)', async (route, args, answer) => {
  const [first, second, third] = await keysOf(route, args, [lost, json(200, answer), json(200, answer)]);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});

it('keeps the key of a command that was killed before its answer', async () => {
  const killed = new AbortController();
  api.answers.set('POST /v1/orders/o-1/refunds', (response) => {
    killed.abort();
    response.destroy();
  });
  expect((await shop(['refund', 'o-1'], environment(), killed.signal)).code).toBeNull();
  const [first, second] = await keysOf('POST /v1/orders/o-1/refunds', ['refund', 'o-1'], [json(201, REFUND)]);
  expect(second).toBe(first);
});

it('says that a command may be repeated where nobody knows what became of it', async () => {
  api.answers.set('POST /v1/orders/o-1/refunds', lost);
  const { code, stderr } = await souk('refund', 'o-1');
  expect(code).toBe(3);
  expect(stderr).toContain('Repeat the command: it is done once.');
  expect((await souk('refund', 'o-1')).stderr).toContain('sending it again with the same key');
});

it('gives back amounts as people write them, and no others', async () => {
  api.answers.set('POST /v1/orders/o-1/refunds', json(201, REFUND));
  const { stdout } = await souk('refund', 'o-1', '--amount', '5.00', '--reason', 'Torn.');
  expect(JSON.parse(api.requests.at(-1)?.body ?? '')).toEqual({ amount: 500, reason: 'Torn.' });
  expect(api.requests.at(-1)?.headers.authorization).toBe('Bearer admin-token');
  expect(stdout).toBe('REFUND  STATE      AMOUNT  REASON\nr-1     SUCCEEDED   $5.00\n');
  expect((await souk('refund', 'o-1', '--amount', '5.001')).code).toBe(2);
});

it('says where to look while the provider has not answered', async () => {
  api.answers.set('POST /v1/orders/o-1/refunds', json(202, { ...REFUND, state: 'PROCESSING' }));
  const { code, stderr } = await souk('refund', 'o-1');
  expect(code).toBe(0);
  expect(stderr).toContain('npm run shop -- payment o-1');
});

it('sets stock or adjusts it, not both', async () => {
  expect((await souk('stock', 'LAMP', '--set', '5', '--adjust', '1')).code).toBe(2);
  expect((await souk('stock', 'LAMP', '--set', '-5')).code).toBe(2);
});
