import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';
import { ADDRESS, Client, type Answer, type Order, type Problem } from './client.js';
import { linkIn, mailsTo } from './mails.js';

interface User {
  readonly id: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly roles: readonly string[];
}

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: User;
}

const ROOT = join(__dirname, '..');
const PASSWORD = 'a quiet garden';
/** With those of the other tests fewer than lead to pauses: five at an address, fifty from here. */
const TRIES = 20;

let souk: LaunchedSouk;
let shop: Client;
let admin: Client;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'] });
  shop = new Client(souk);
  admin = await shop.asAdmin();
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

const newAddress = () => `${randomUUID()}@example.com`;

function as({ accessToken }: Pick<Session, 'accessToken'>): Client {
  return new Client(souk, accessToken);
}

/** The call's answer, which must have that status, set no cookie and lead nowhere else. */
async function must<T = undefined>(status: number, call: Promise<Answer<T>>): Promise<T> {
  const { body, headers, status: actual } = await call;
  expect({ status: actual, ...(actual >= 400 && { body }) }).toMatchObject({ status });
  expect(headers.get('set-cookie')).toBeNull();
  expect(headers.get('location') ?? '/v1/').toMatch(/^\/v1\/[\w/-]*$/);
  expect(headers.get('cache-control')).toMatch(/^(no-store|private, no-cache)$/);
  return body;
}

function refused(status: number, reason: string, call: Promise<Answer<Problem>>): Promise<void> {
  return must(status, call).then((body) => expect(body.reason).toBe(reason));
}

function register(email: string): Promise<Session> {
  return must(201, shop.call('POST', '/v1/auth/register', { email, password: PASSWORD, name: 'Ada' }));
}

function login(email: string, password = PASSWORD): Promise<Session> {
  return must(200, shop.call('POST', '/v1/auth/login', { email, password }));
}

async function registerOwner(email: string): Promise<Session> {
  const session = await register(email);
  const token = await linkIn(souk, email, 'verify');
  await must(200, as(session).call('POST', '/v1/me/email-verification/confirm', { token }));
  return session;
}

function orderAsGuest(sku: string, email: string): Promise<Order> {
  const body = { lines: [{ sku, quantity: 1 }], email, shippingAddress: ADDRESS, payment: { method: 'manual' } };
  return must(201, shop.call<Order>('POST', '/v1/orders', body, { 'idempotency-key': randomUUID() }));
}

async function ordersOf(client: Client): Promise<string[]> {
  const { items } = await must(200, client.call<{ items: Order[] }>('GET', '/v1/orders'));
  return items.map(({ id }) => id).sort();
}

it("goes through a customer's life", async () => {
  const [email, changed] = [newAddress(), newAddress()];
  const sku = await admin.sell(10);
  const before = await orderAsGuest(sku, email.toUpperCase());

  const first = await register(email);
  const ada = as(first);
  expect(first.user).toMatchObject({ email, emailVerified: false });
  await refused(403, 'EMAIL_NOT_VERIFIED', ada.call('POST', '/v1/me/orders/claim'));
  await must(202, ada.call('POST', '/v1/me/email-verification'));
  const proof = { token: await linkIn(souk, email, 'verify') };
  const stranger = as(await register(newAddress()));
  await refused(409, 'LINK_INVALID', stranger.call('POST', '/v1/me/email-verification/confirm', proof));
  const proved = await must(200, ada.call<User>('POST', '/v1/me/email-verification/confirm', proof));
  expect(proved.emailVerified).toBe(true);

  await eventually(async () => expect(await ordersOf(ada)).toEqual([before.id]), { timeoutMs: 20_000 });
  const later = await orderAsGuest(sku, email);
  const claim = () => must(200, ada.call<{ claimed: number }>('POST', '/v1/me/orders/claim'));
  expect([await claim(), await claim()]).toEqual([{ claimed: 1 }, { claimed: 0 }]);
  expect(await ordersOf(ada)).toEqual([before.id, later.id].sort());
  expect(await shop.order(later)).not.toHaveProperty('customerId');

  const renamed = await must(200, ada.call<{ name: string }>('PATCH', '/v1/me', { name: 'Ada L.' }));
  expect(renamed.name).toBe('Ada L.');
  const entry = await must(201, ada.call<{ id: string }>('POST', '/v1/me/addresses', { address: ADDRESS }));
  const moved = { address: { ...ADDRESS, city: 'Oxford' } };
  await must(200, ada.call('PUT', `/v1/me/addresses/${entry.id}`, moved));
  expect(await must(200, ada.call('GET', '/v1/me/addresses'))).toMatchObject({ items: [moved] });
  await must(204, ada.call('DELETE', `/v1/me/addresses/${entry.id}`));

  await refused(403, 'WRONG_PASSWORD', ada.call('POST', '/v1/me/email-change', { email: changed, password: 'wrong' }));
  await must(202, ada.call('POST', '/v1/me/email-change', { email: changed, password: PASSWORD }));
  const change = { token: await linkIn(souk, changed, 'confirm') };
  const after = await must(200, ada.call<User>('POST', '/v1/me/email-change/confirm', change));
  expect(after).toMatchObject({ email: changed, emailVerified: true });

  await must(204, ada.call('PUT', '/v1/me/password', { password: PASSWORD, newPassword: 'another quiet garden' }));
  await must(202, shop.call('POST', '/v1/auth/password-reset', { email: changed }));
  const reset = { token: await linkIn(souk, changed, 'reset'), password: PASSWORD };
  await must(204, shop.call('POST', '/v1/auth/password-reset/confirm', reset));
  await refused(409, 'LINK_INVALID', shop.call('POST', '/v1/auth/password-reset/confirm', reset));
  const ended = { refreshToken: first.refreshToken };
  await refused(401, 'SESSION_ENDED', shop.call('POST', '/v1/auth/refresh', ended));

  const [here, there, elsewhere] = [await login(changed), await login(changed), await login(changed)];
  interface Open {
    items: { id: string; current: boolean; address: string }[];
  }
  const open = await must(200, as(here).call<Open>('GET', '/v1/me/sessions'));
  expect(open.items).toHaveLength(3);
  expect(open.items.filter(({ current }) => current)).toEqual([expect.objectContaining({ address: '127.0.0.1' })]);
  const other = open.items.find(({ current }) => !current);
  await must(204, as(here).call('DELETE', `/v1/me/sessions/${other?.id}`));
  expect(await must(200, as(here).call('POST', '/v1/me/sessions/revoke-others'))).toEqual({ ended: 1 });
  for (const { refreshToken } of [there, elsewhere]) {
    await refused(401, 'SESSION_ENDED', shop.call('POST', '/v1/auth/refresh', { refreshToken }));
  }

  await refused(403, 'WRONG_PASSWORD', as(here).call('DELETE', '/v1/me', { password: 'wrong' }));
  await must(204, as(here).call('DELETE', '/v1/me', { password: PASSWORD }));
  await refused(401, 'WRONG_CREDENTIALS', shop.call('POST', '/v1/auth/login', { email: changed, password: PASSWORD }));
  await refused(404, 'USER_NOT_FOUND', as(here).call('GET', '/v1/me'));
});

it('lets programs in, with what their client may do and no more', async () => {
  const made = { name: 'Warehouse', permissions: ['stock:read', 'stock:write'] };
  interface Made {
    client: { id: string; secrets: { id: string }[] };
    clientSecret: string;
  }
  const { client, clientSecret } = await must(201, admin.call<Made>('POST', '/v1/clients', made));
  const sku = await admin.sell(1);
  const program = new Client(souk, (await token(client.id, clientSecret)).access_token);
  await must(200, program.call('PUT', `/v1/stock/${sku}`, { onHand: 7 }));
  await refused(403, 'PERMISSION_DENIED', program.call('GET', '/v1/users'));
  await refused(403, 'PERMISSION_DENIED', program.call('GET', '/v1/me'));
  expect((await token(client.id, clientSecret, 'stock:read')).scope).toBe('stock:read');
  expect(await token(client.id, clientSecret, 'orders:read')).toMatchObject({ error: 'invalid_scope' });

  const rotated = await must(201, admin.call<Made>('POST', `/v1/clients/${client.id}/secrets`));
  expect((await token(client.id, rotated.clientSecret)).access_token).toBeDefined();
  const old = client.secrets[0]?.id;
  await must(204, admin.call('DELETE', `/v1/clients/${client.id}/secrets/${old}`));
  expect(await token(client.id, clientSecret)).toMatchObject({ error: 'invalid_client' });
  expect(await must(200, admin.call('GET', '/v1/clients'))).toMatchObject({
    items: [
      { id: client.id, ...made, secrets: [{ id: rotated.client.secrets[0]?.id, lastUsedAt: expect.any(String) }] },
    ],
  });
  await must(204, admin.call('DELETE', `/v1/clients/${client.id}`));
  expect(await token(client.id, rotated.clientSecret)).toMatchObject({ error: 'invalid_client' });
});

interface Token {
  access_token?: string;
  scope?: string;
  error?: string;
}

async function token(clientId: string, secret: string, scope = ''): Promise<Token> {
  const response = await fetch(new URL('/v1/oauth/token', souk.url), {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
  return (await response.json()) as Token;
}

it('lets administrators make roles, give them and end sessions; and others no more than they may', async () => {
  const email = newAddress();
  const person = await registerOwner(email);
  const { items: permissions } = await must(200, admin.call<{ items: object[] }>('GET', '/v1/permissions'));
  expect(permissions).toContainEqual({ name: 'users:read', description: expect.any(String) });
  const role = { name: `support-${randomUUID().slice(0, 8)}`, permissions: ['users:read', 'roles:write'] };
  await must(201, admin.call('POST', '/v1/roles', role));
  await refused(409, 'ROLE_EXISTS', admin.call('POST', '/v1/roles', role));
  const assign = (roles: string[]) => admin.call<User>('PUT', `/v1/users/${person.user.id}/roles`, { roles });
  expect((await must(200, assign([role.name]))).roles).toContain(role.name);

  const support = as(await login(email));
  interface Page {
    items: User[];
  }
  const found = await must(200, support.call<Page>('GET', `/v1/users?email=${encodeURIComponent(email)}`));
  expect(found.items.map(({ id }) => id)).toEqual([person.user.id]);
  const wider = { name: `more-${randomUUID().slice(0, 8)}`, permissions: ['orders:refund'] };
  await refused(403, 'GRANT_TOO_WIDE', support.call('POST', '/v1/roles', wider));
  const path = `/v1/users/${person.user.id}/roles`;
  await refused(403, 'GRANT_TOO_WIDE', support.call('PUT', path, { roles: [role.name, 'admin'] }));
  await refused(403, 'PERMISSION_DENIED', support.call('POST', `/v1/users/${person.user.id}/sessions/revoke`));
  await refused(409, 'ROLE_IN_USE', admin.call('DELETE', `/v1/roles/${role.name}`));
  await refused(409, 'ROLE_BUILT_IN', admin.call('PUT', '/v1/roles/staff', { permissions: [] }));

  await must(200, admin.call('PUT', `/v1/roles/${role.name}`, { permissions: ['users:read'] }));
  await must(200, assign([]));
  await must(204, admin.call('DELETE', `/v1/roles/${role.name}`));
  const { items: roles } = await must(200, admin.call<{ items: { name: string }[] }>('GET', '/v1/roles'));
  expect(roles.map(({ name }) => name)).toEqual(expect.arrayContaining(['customer', 'staff', 'admin']));
  expect(roles.map(({ name }) => name)).not.toContain(role.name);
  expect(await must(200, admin.call('POST', `/v1/users/${person.user.id}/sessions/revoke`))).toEqual({ ended: 2 });
  expect((await must(200, admin.call<User>('GET', `/v1/users/${person.user.id}`))).email).toBe(email);
  const me = await must(200, admin.call<User>('GET', '/v1/me'));
  await refused(409, 'LAST_ADMIN', admin.call('PUT', `/v1/users/${me.id}/roles`, { roles: [] }));
  const keys = await must(200, admin.call<{ items: object[] }>('POST', '/v1/signing-keys/rotate'));
  expect(keys.items).toHaveLength(2);
});

it('makes no second first administrator for operators, and shows no password', async () => {
  const email = newAddress();
  const env = { ...process.env, SOUK_DATA_DIR: souk.dataDir, SOUK_NEW_PASSWORD: PASSWORD };
  const command = ['tools/runner/bootstrap.mjs', 'ops', 'admin', 'create', '--email', email];
  type Ended = { code?: number; stdout: string; stderr: string };
  const running: Promise<Ended> = promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
  const ended = await running.catch((error: Ended) => error);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('ADMIN_EXISTS') });
  expect(ended.stdout + ended.stderr).not.toContain(PASSWORD);
  await refused(401, 'WRONG_CREDENTIALS', shop.call('POST', '/v1/auth/login', { email, password: PASSWORD }));
});

describe('whether an address has an account', () => {
  let known: string;

  beforeAll(async () => {
    known = newAddress();
    await registerOwner(known);
  });

  // What a stranger can ask with an address alone.
  const questions: Record<string, (email: string) => [path: string, body: object]> = {
    registering: (email) => ['/v1/auth/register', { email, password: PASSWORD, name: 'Eve' }],
    'logging in': (email) => ['/v1/auth/login', { email, password: 'not the password' }],
    'a new password': (email) => ['/v1/auth/password-reset', { email }],
  };

  it.each(Object.keys(questions))('is not told by the answer to %s', async (question) => {
    const unknown = newAddress();
    const answers = [await ask(question, known), await ask(question, unknown)];
    const [one, other] = answers.map(({ text }, index) => told(text, index === 0 ? known : unknown));
    expect(one).toBe(other);
    expect(answers[0]?.status).toBe(answers[1]?.status);
    expect(answers[0]?.headers).toEqual(answers[1]?.headers);
  });

  // Tries in turn, so that what the machine does besides meets both alike.
  it.each(Object.keys(questions))('is not told by the time of %s', async (question) => {
    const owners = [known];
    while (owners.length < 5) {
      const email = newAddress();
      await registerOwner(email);
      owners.push(email);
    }
    const times = { known: [] as number[], unknown: [] as number[] };
    const strangers = owners.map(newAddress);
    for (let round = 0; round < TRIES; round++) {
      const index = round % owners.length;
      const asked = [await ask(question, owners[index] ?? ''), await ask(question, strangers[index] ?? '')] as const;
      expect(asked.map(({ status }) => status)).not.toContain(429);
      times.known.push(asked[0].ms);
      times.unknown.push(asked[1].ms);
    }
    const [there, not] = [median(times.known), median(times.unknown)];
    expect(Math.abs(there - not)).toBeLessThan(Math.max(15, 0.5 * Math.min(there, not)));
  });

  it('is told to the owner alone, by mail', async () => {
    await eventually(() => expect(mailsTo(souk, known).join('\n')).toContain('/forgot-password'), {
      timeoutMs: 20_000,
    });
  });

  async function ask(question: string, email: string) {
    const [path, body] = questions[question]?.(email) ?? ['', {}];
    const began = performance.now();
    const response = await fetch(new URL(path, souk.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'asked' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const ms = performance.now() - began;
    const names = [...response.headers.keys()].filter((name) => !/^(date|ratelimit(-\w+)?)$/.test(name));
    const headers = names.map((name) => [name, name === 'content-length' ? '' : response.headers.get(name)]);
    return { status: response.status, headers, text, ms };
  }

  /** The answer without what differs between any two. */
  function told(text: string, email: string): string {
    return text
      .replaceAll(email, '<address>')
      .replace(/"(accessToken|refreshToken|id)":"[^"]+"/g, '"$1":"…"')
      .replace(/"createdAt":"[^"]+"/, '"createdAt":"…"');
  }

  function median(times: number[]): number {
    return times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? NaN;
  }
});
