/** Does everything that has to do with secrets, also what fails, and then looks for each secret in what was logged and answered. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClientsServiceService } from '@souk/proto/identity/v1';
import { rpcClient } from '@souk/rpc';
import { localProof, readRun } from '@souk/runner';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { newRequestId, newTraceparent, runInContext } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { Client, type Answer, type Order } from './client.js';

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
}

let souk: LaunchedSouk;
let shop: Client;
const secrets = new Map<string, string>();
const refusals: string[] = [];

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { LOG_LEVEL: 'debug' } });
  shop = new Client(souk);
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

/** Remembers a secret by what it is, and gives it back. */
function secret(name: string, value = `${name}-${randomBytes(9).toString('hex')}`): string {
  if (value === '') throw new Error(`${name} is empty`);
  secrets.set(name, value);
  return value;
}

function address(name: string): string {
  return secret(name, `${name}.${randomUUID().slice(0, 8)}@mail.example.com`);
}

async function call<T>(
  client: Client,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Answer<T>> {
  const answer = await client.call<T>(method, path, body, headers);
  if (answer.status >= 400) refusals.push(JSON.stringify(answer.body));
  return answer;
}

/** What a mail to this address links to, behind the `#`. */
async function linkTo(recipient: string, path: string): Promise<string> {
  const folder = join(souk.dataDir, 'mail');
  return eventually(() => {
    const mails = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const texts = mails.filter((mail) => mail.includes(recipient)).map((mail) => mail.replace(/=\r?\n/g, ''));
    const found = texts.map((text) => new RegExp(`${path}#(?:[a-z]+=(?:3D)?)?([\\w-]{20,})`).exec(text)?.[1]);
    const token = found.find((text) => text !== undefined);
    if (!token) throw new Error(`No mail to ${recipient} has a link to ${path}: ${texts.join('\n')}`);
    return token;
  });
}

async function account(): Promise<void> {
  const email = address('address');
  const password = secret('password');
  const { body } = await call<Session>(shop, 'POST', '/v1/auth/register', { email, password, name: 'Grace' });
  secret('access token', body.accessToken);
  secret('refresh token', body.refreshToken);
  const customer = new Client(souk, body.accessToken);
  await call(shop, 'POST', '/v1/auth/register', { email, password, name: 'Grace' });
  await call(shop, 'POST', '/v1/auth/login', { email, password: secret('wrong password') });
  await call(shop, 'POST', '/v1/auth/login', { email, password: secret('unknown field'), otp: secret('otp') });
  await call(shop, 'POST', '/v1/auth/login', `{"email": "${email}", "password": "${secret('broken JSON')}`, {
    'content-type': 'application/json',
  });
  await call(shop, 'POST', '/v1/auth/register', { email: `${secret('bad address')}@@`, password, name: '\u0000' });
  const newer = await call<Session>(shop, 'POST', '/v1/auth/refresh', { refreshToken: body.refreshToken });
  secret('second refresh token', newer.body.refreshToken);
  await call(shop, 'POST', '/v1/auth/refresh', { refreshToken: secret('made-up refresh token') });
  await call(new Client(souk, secret('made-up access token')), 'GET', '/v1/me');
  await call(new Client(souk, `${body.accessToken.slice(0, -8)}${secret('signature', 'c2lnbmVk')}`), 'GET', '/v1/me');
  await call(customer, 'PUT', '/v1/me/password', { currentPassword: secret('not the password'), newPassword: 'short' });
  await call(customer, 'POST', '/v1/me/email-verification');
  await call(customer, 'POST', '/v1/me/email-verification/confirm', { token: secret('made-up link') });
  const token = secret('verification link', await linkTo(email, 'verify'));
  expect((await call(customer, 'POST', '/v1/me/email-verification/confirm', { token })).status).toBeLessThan(300);
  const changed = { email: address('new-address'), password };
  expect((await call(customer, 'POST', '/v1/me/email-change', changed)).status).toBe(202);
  secret('link of the change', await linkTo(changed.email, 'confirm'));
  await call(shop, 'POST', '/v1/auth/password-reset', { email });
  const reset = { token: secret('reset link', await linkTo(email, 'reset')), password: secret('newest password') };
  expect((await call(shop, 'POST', '/v1/auth/password-reset/confirm', reset)).status).toBe(204);
  // A replaced refresh token, used again: its session ends, with a warning.
  await call(shop, 'POST', '/v1/auth/refresh', { refreshToken: body.refreshToken });
}

async function machine(): Promise<void> {
  const login = { email: 'admin@souk.local', password: secret('password of the admin', souk.secrets.adminPassword) };
  const { body } = await call<Session>(shop, 'POST', '/v1/auth/login', login);
  const userToken = secret('access token of the admin', body.accessToken);
  const identity = rpcClient(ClientsServiceService, {
    ...{ address: `127.0.0.1:${souk.ports.identity}`, service: 'identity', caller: 'gateway', timeoutMs: 15_000 },
    ...(localProof(souk.dataDir) ?? {}),
  });
  const context = { requestId: newRequestId(), traceparent: newTraceparent(), userToken };
  const client = await runInContext(context, () =>
    identity.createClient({ name: 'importer', permissions: ['catalog:write'] }),
  ).finally(() => identity.close());
  const id = client.client?.clientId ?? '';
  const ask = (clientSecret: string) =>
    call<{ access_token: string }>(
      shop,
      'POST',
      '/v1/oauth/token',
      `grant_type=client_credentials&client_id=${id}&client_secret=${clientSecret}`,
      { 'content-type': 'application/x-www-form-urlencoded' },
    );
  const { status, body: granted } = await ask(secret('client secret', client.clientSecret));
  expect(status).toBe(200);
  secret('access token of the client', granted.access_token);
  await ask(secret('wrong client secret'));
}

async function orders(sku: string): Promise<Order> {
  const lines = [{ sku, quantity: 1 }];
  const shippingAddress = {
    name: secret('name'),
    line1: secret('street'),
    city: 'London',
    postalCode: 'SW1',
    country: 'GB',
  };
  const place = (payment: unknown, key: string = randomUUID()) => {
    const body = { lines, email: address('guest'), shippingAddress, payment };
    return call<Order>(shop, 'POST', '/v1/orders', body, { 'idempotency-key': key });
  };
  const key = secret('idempotency key');
  const { status, body: order } = await place({ method: 'card', token: secret('card', 'pm_card_visa') }, key);
  expect(status).toBe(201);
  await place({ method: 'card', token: secret('declined card', 'pm_card_chargeDeclined') });
  await place({ method: 'card', token: secret('unknown card', `pm_${randomBytes(12).toString('hex')}`) });
  await place({ method: 'card', token: secret('odd card'), cvc: secret('cvc') });
  const token = secret('order token', order.accessToken);
  const wrong = secret('wrong order token');
  await call(shop, 'GET', `/v1/orders/${order.id}?accessToken=${token}`);
  for (const path of ['', '/timeline', '/events', '/nowhere', '/%zz', '/payment']) {
    await call(shop, 'GET', `/v1/orders/${order.id}${path}?accessToken=${wrong}`);
  }
  await call(shop, 'GET', `/v1/orders/${order.id}?accessToken=${token}&accessToken=${wrong}`);
  await call(shop, 'POST', `/v1/orders/${order.id}/cancel?accessToken=${wrong}`);
  return order;
}

async function notices(): Promise<void> {
  const signature = `t=1,v1=${secret('signature of a notice', randomBytes(32).toString('hex'))}`;
  await call(
    shop,
    'POST',
    '/v1/webhooks/stripe',
    { id: 'evt_1', data: secret('notice') },
    { 'stripe-signature': signature },
  );
}

/** While the broker and two services are gone, what they are called with fails in other ways. */
async function amidFailures(sku: string): Promise<void> {
  const children = readRun(join(souk.dataDir, 'run.json'))?.children ?? {};
  for (const name of ['nats', 'payments', 'identity']) process.kill(children[name]?.pid ?? 0, 'SIGKILL');
  await Promise.all([account().catch(() => undefined), orders(sku).catch(() => undefined)]);
}

function keepsAll(): void {
  const own = souk.secrets;
  for (const [service, value] of Object.entries(own.databasePasswords)) secret(`database of ${service}`, value);
  for (const name of ['postgresPassword', 'serviceToken', 'keyEncryptionKey', 'orderTokenSecret'] as const) {
    secret(name, own[name]);
  }
  secret('key of the provider', own.stripeApiKey);
  secret('secret of the webhooks', own.stripeWebhookSecret);
}

function textsIn(name: string): Readonly<Record<string, string>> {
  const folder = join(souk.dataDir, name);
  return Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** Where each secret that is somewhere was found. */
function found(texts: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([place, text]) =>
    [...secrets]
      .filter(([, value]) => text.includes(value))
      .map(([name, value]) => `${name} in ${place}: ${near(text, value)}`),
  );
}

function near(text: string, value: string): string {
  const line = text.split('\n').find((candidate) => candidate.includes(value)) ?? '';
  return line.slice(0, 600);
}

it('logs no secret and no address at level debug, and no refusal repeats one, whatever fails', async () => {
  keepsAll();
  const sku = await (await shop.asAdmin()).sell(10);
  await account();
  await machine();
  await orders(sku);
  await notices();
  await amidFailures(sku);
  await eventually(async () => expect((await shop.call('GET', '/readyz')).status).toBe(200), { timeoutMs: 60_000 });
  // Where secrets are meant to be they are found, so that finding none elsewhere means something.
  const mails = Object.values(textsIn('mail'))
    .join('\n')
    .replace(/=\r?\n/g, '');
  expect(found({ mails }).length).toBeGreaterThan(3);
  const logs = textsIn('logs');
  expect(Object.keys(logs)).toEqual(
    expect.arrayContaining(['gateway.log', 'identity.log', 'orders.log', 'payments.log']),
  );
  expect(logs['gateway.log']).toContain('"level":"debug"');
  expect(refusals.length).toBeGreaterThan(20);
  expect(found({ ...logs, refusals: refusals.join('\n') })).toEqual([]);
});
