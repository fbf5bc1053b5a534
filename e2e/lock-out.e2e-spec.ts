/** Somebody guesses the password of an account, from one address and from many; whose it is gets in all the same. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { Client, type Answer, type Problem } from './client.js';
import { linkIn } from './mails.js';

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const PASSWORD = 'a quiet garden';
const NEW_PASSWORD = 'a garden with a wall';
/** Tries without a pause, and the first pause, as identity has them. */
const FREE = 5;
const FIRST_PAUSE_S = 30;

let souk: LaunchedSouk;
let shop: Client;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_TRUSTED_PROXIES: '127.0.0.1' } });
  shop = new Client(souk);
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

function login(email: string, password: string, from: string): Promise<Answer<Problem & Session>> {
  return shop.call('POST', '/v1/auth/login', { email, password }, { 'x-forwarded-for': from });
}

/** Guesses until the account pauses. @returns after how many guesses */
async function guess(email: string, addressOf: (index: number) => string): Promise<number> {
  for (let index = 0; index < 2 * FREE; index++) {
    const { status } = await login(email, `guess ${index}`, addressOf(index));
    if (status === 429) return index;
    expect(status).toBe(401);
  }
  throw new Error('Nobody was stopped.');
}

/** What a refusal says, the seconds left out: they differ from one to the next. */
function told({ status, body }: Answer<Problem>): unknown {
  const { requestId, retryAfter, detail, ...rest } = body as Problem & Record<string, unknown>;
  expect([typeof requestId, typeof retryAfter]).toEqual(['string', 'number']);
  return { status, ...rest, detail: String(detail).replace(/\d+/g, 'n') };
}

function retryAfter({ headers }: Answer<unknown>): number {
  return Number(headers.get('retry-after'));
}

async function aPerson(): Promise<{ email: string; session: Session }> {
  const email = `${randomUUID()}@example.com`;
  const { body: session } = await shop.call<Session>('POST', '/v1/auth/register', {
    email,
    password: PASSWORD,
    name: 'Ada',
  });
  const token = await linkIn(souk, email, 'verify');
  const as = new Client(souk, session.accessToken);
  expect((await as.call('POST', '/v1/me/email-verification/confirm', { token })).status).toBe(200);
  return { email, session };
}

async function isStopped(addressOf: (index: number) => string): Promise<void> {
  const { email } = await aPerson();
  expect(await guess(email, addressOf)).toBe(FREE);
  const wrong = await login(email, 'one more guess', '192.0.2.1');
  const right = await login(email, PASSWORD, '192.0.2.2');
  expect(told(right)).toEqual(told(wrong));
  expect(right.status).toBe(429);
  expect(retryAfter(right)).toBeGreaterThan(0);
  expect(retryAfter(right)).toBeLessThanOrEqual(FIRST_PAUSE_S);

  await sleep(retryAfter(right) * 1_000);
  expect((await login(email, 'a guess after the pause', '192.0.2.3')).status).toBe(401);
  const longer = retryAfter(await login(email, PASSWORD, '192.0.2.4'));
  expect(longer).toBeGreaterThan(FIRST_PAUSE_S);
  expect(longer).toBeLessThanOrEqual(2 * FIRST_PAUSE_S);
}

async function isLetInAfterThePause(): Promise<void> {
  const { email } = await aPerson();
  await guess(email, (index) => `198.51.100.${index + 101}`);
  const paused = await login(email, PASSWORD, '192.0.2.5');
  expect(paused.status).toBe(429);
  await sleep(retryAfter(paused) * 1_000);
  expect((await login(email, PASSWORD, '192.0.2.5')).status).toBe(200);
}

// All at once, since each waits for a pause.
it('stops who guesses, for longer each time, without a word of the right password, and lets the owner in between', async () => {
  const fromOne = () => '203.0.113.7';
  const fromMany = (index: number) => `198.51.100.${index + 1}`;
  await Promise.all([isStopped(fromOne), isStopped(fromMany), isLetInAfterThePause()]);
}, 180_000);

it('leaves the owner what is open, and the way of a new password, while somebody goes on guessing', async () => {
  const { email, session } = await aPerson();
  await guess(email, (index) => `198.51.100.${index + 201}`);
  expect((await login(email, PASSWORD, '192.0.2.6')).status).toBe(429);
  const refreshed = await shop.call<Session>('POST', '/v1/auth/refresh', { refreshToken: session.refreshToken });
  expect(refreshed.status).toBe(200);
  const own = new Client(souk, refreshed.body.accessToken);
  expect((await own.call('GET', '/v1/me')).status).toBe(200);

  expect((await shop.call('POST', '/v1/auth/password-reset', { email })).status).toBe(202);
  const reset = { token: await linkIn(souk, email, 'reset'), password: NEW_PASSWORD };
  expect((await shop.call('POST', '/v1/auth/password-reset/confirm', reset)).status).toBe(204);
  expect((await login(email, NEW_PASSWORD, '192.0.2.6')).status).toBe(200);
}, 180_000);
