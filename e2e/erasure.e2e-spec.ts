/** A person with all kinds of traces takes all of them along, and is erased while services die. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { connectEvents, ensureDeadLetters } from '@souk/events';
import { GRPC_SERVICES, readRun } from '@souk/runner';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { createLogger } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { createRemoteJWKSet, importJWK, jwtVerify, type JWK } from 'jose';
import { Client, type Order } from './client.js';
import { everything, type Texts } from './everything.js';
import { linkIn, mailsTo } from './mails.js';
import { Operator } from './ops.js';

interface Erasure {
  readonly id: string;
  readonly state: string;
  readonly pending: number;
  readonly accessToken: string;
  readonly statusUrl: string;
  readonly certificate?: string;
  readonly certificateKey?: JWK;
}

const PATIENTLY = { timeoutMs: 120_000 };
const PASSWORD = 'a long enough password';
const EMAIL = 'Wilhelmina.Quartermaine@example.com';
const TRACKING = 'TRACK-4711-QX';
const ADDRESS = {
  name: 'Wilhelmina Quartermaine',
  line1: '77 Marmalade Lane',
  line2: 'Flat Zebedee',
  city: 'Lostwithiel',
  postalCode: 'PL22 0ZZ',
  country: 'GB',
};
/** Anything of the person, however it is written. */
const PERSON = /wilhelmina|quartermaine|marmalade|zebedee|lostwithiel|PL22|TRACK-4711/i;

let souk: LaunchedSouk;
let shop: Client;
let staff: Client;
let operator: Operator;
let sku: string;

beforeAll(async () => {
  souk = await launchSouk({
    args: ['--no-sale'],
    env: { LOG_LEVEL: 'debug', SOUK_ERASURE_SETTLE_SECONDS: '6', SOUK_SAGA_LEASE_MS: '3000' },
  });
  shop = new Client(souk);
  staff = await shop.asAdmin();
  operator = new Operator(souk);
  sku = await staff.sell(50);
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

function placeAs(client: Client, key: string = randomUUID()) {
  const payment = { method: 'card', token: 'pm_card_visa' };
  const body = { lines: [{ sku, quantity: 1 }], email: EMAIL, shippingAddress: ADDRESS, payment };
  return client.call<Order>('POST', '/v1/orders', body, { 'idempotency-key': key });
}

async function order(client: Client): Promise<Order> {
  const { status, body } = await placeAs(client);
  if (status !== 201) throw new Error(`The order was answered with ${status}.`);
  return body;
}

async function expecting(status: number, answer: Promise<{ status: number; body: unknown }>): Promise<void> {
  const { status: actual, body } = await answer;
  if (actual !== status) throw new Error(`${actual} in place of ${status}: ${JSON.stringify(body)}`);
}

const fulfil = (id: string) =>
  expecting(
    200,
    staff.call('POST', `/v1/orders/${id}/fulfill`, { tracking: TRACKING }, { 'idempotency-key': randomUUID() }),
  );

async function refund(id: string): Promise<void> {
  const captured = async () => {
    const { body } = await staff.call<{ state: string }>('GET', `/v1/orders/${id}/payment`);
    expect(body.state).toBe('CAPTURED');
  };
  await eventually(captured, PATIENTLY);
  const body = { reason: 'Broken in transit.' };
  await expecting(201, staff.call('POST', `/v1/orders/${id}/refunds`, body, { 'idempotency-key': randomUUID() }));
  await eventually(async () => expect((await staff.order({ id })).state).toBe('REFUNDED'), PATIENTLY);
}

/** Registers, and proves the address. */
async function customer(): Promise<Client> {
  const person = { email: EMAIL, password: PASSWORD, name: ADDRESS.name };
  const { body } = await shop.call<{ accessToken: string }>('POST', '/v1/auth/register', person);
  const client = new Client(souk, body.accessToken);
  const token = await linkIn(souk, EMAIL, 'verify');
  await expecting(200, client.call('POST', '/v1/me/email-verification/confirm', { token }));
  return client;
}

/** As notifications leaves it behind for an event that it gives up. */
async function deadLetterAbout(orderId: string): Promise<void> {
  const bus = await connectEvents({
    url: `nats://127.0.0.1:${souk.ports.nats}`,
    name: 'e2e',
    logger: createLogger('e2e'),
  });
  try {
    await ensureDeadLetters(bus);
    const { state } = await bus.jsm.streams.info('ORDERS');
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await bus.jsm.streams.getMessage('ORDERS', { seq });
      if (message?.header.get('ce-subject') !== orderId || !message.subject.endsWith('.OrderConfirmed')) continue;
      const { header: headers } = message;
      headers.set('Nats-Msg-Id', randomUUID());
      headers.set('souk-dead-consumer', 'notifications-OrderConfirmed');
      headers.set('souk-dead-error', 'It could not be read.');
      await bus.js.publish('dead.notifications-OrderConfirmed', message.data, { headers });
    }
  } finally {
    await bus.close();
  }
}

function kill(...names: string[]): void {
  const children = readRun(join(souk.dataDir, 'run.json'))?.children ?? {};
  for (const name of names) {
    const pid = children[name]?.pid;
    if (!pid) throw new Error(`${name} does not run.`);
    process.kill(pid, 'SIGKILL');
  }
}

async function stateOf({ id, accessToken }: Erasure): Promise<Erasure> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const { status, body } = await shop.call<Erasure>('GET', `/v1/erasures/${id}`, undefined, headers);
  expect(status).toBe(200);
  return body;
}

function done(erasure: Erasure): Promise<Erasure> {
  return eventually(async () => {
    const now = await stateOf(erasure);
    expect(now.state).toBe('DONE');
    return now;
  }, PATIENTLY);
}

/** The places where something of the person is. */
function traces(texts: Texts): string[] {
  return Object.entries(texts).flatMap(([place, text]) => {
    const line = text.split('\n').find((candidate) => PERSON.test(candidate));
    return line ? [`${place}: ${line.slice(0, 300)}`] : [];
  });
}

async function nothingIsLeft(): Promise<void> {
  expect(traces(await everything(souk))).toEqual([]);
}

/** Nothing differs in any service; money least of all. */
async function allBalances(): Promise<void> {
  for (const service of GRPC_SERVICES)
    expect({ service, found: await operator.differences(service) }).toEqual({ service, found: [] });
}

async function certified({ id, certificate = '', certificateKey = {} }: Erasure): Promise<void> {
  const options = { audience: 'souk-erasure', typ: 'erasure+jwt' };
  const { payload } = await jwtVerify(certificate, await importJWK(certificateKey, 'EdDSA'), options);
  await jwtVerify(certificate, createRemoteJWKSet(new URL('/.well-known/jwks.json', souk.url)), options);
  expect(payload.jti).toBe(id);
  expect(JSON.stringify(payload)).not.toMatch(PERSON);
  const treatments = payload['treatments'] as { service: string; what: string; action: string; count?: number }[];
  expect(treatments).toContainEqual(
    expect.objectContaining({ service: 'orders', what: 'orders', action: 'pseudonymised', count: 4 }),
  );
  expect(treatments).toContainEqual(expect.objectContaining({ service: 'payments', action: 'kept', count: 4 }));
}

it('leaves nothing of a person who is erased while services die, and money balances (I19)', async () => {
  const guest = await order(shop);
  const person = await customer();
  const later = await order(shop);
  const orders = [guest, later, await order(person), await order(person)];
  const [, , refunded, cancelled] = orders as [Order, Order, Order, Order];
  for (const { id } of orders.filter(({ id }) => id !== cancelled.id)) await fulfil(id);
  await refund(refunded.id);
  await expecting(
    200,
    person.call('POST', `/v1/orders/${cancelled.id}/cancel`, undefined, { 'idempotency-key': randomUUID() }),
  );
  await expecting(201, person.call('POST', '/v1/me/addresses', { address: ADDRESS }));
  const { body: cart } = await person.call<{ id: string }>('POST', '/v1/carts');
  await person.call('PUT', `/v1/carts/${cart.id}/lines/${sku}`, { quantity: 1 });
  await eventually(() => expect(mailsTo(souk, EMAIL).length).toBeGreaterThan(7), PATIENTLY);
  await deadLetterAbout(guest.id);
  const before = traces(await everything(souk)).map((trace) => trace.split(':')[0] ?? '');
  for (const place of [
    'identity.users',
    'identity.outbox',
    'orders.orders',
    'orders.outbox',
    'notifications.notifications',
    'stream ORDERS',
    'stream IDENTITY',
    'stream DEAD_LETTERS',
  ])
    expect(before).toContain(place);
  expect(before.filter((place) => place.startsWith('logs/'))).toEqual([]);

  const { body: file } = await person.call<{ records: { kind: string; data: Record<string, unknown> }[] }>(
    'GET',
    '/v1/me/export',
  );
  const ofKind = (kind: string) => file.records.filter((record) => record.kind === kind).map(({ data }) => data);
  expect(ofKind('account')).toEqual([expect.objectContaining({ email: EMAIL, name: ADDRESS.name })]);
  expect(ofKind('address')).toEqual([expect.objectContaining({ line1: ADDRESS.line1 })]);
  expect(ofKind('session').length).toBeGreaterThan(0);
  expect(ofKind('cart')).toHaveLength(1);
  expect(
    ofKind('order')
      .map(({ orderId }) => orderId)
      .sort(),
  ).toEqual(orders.map(({ id }) => id).sort());
  expect(ofKind('order')).toContainEqual(expect.objectContaining({ email: EMAIL, number: guest.number }));
  expect(ofKind('payment')).toHaveLength(4);
  expect(ofKind('mail').length).toBeGreaterThan(4);

  const { status, body: erasure } = await person.call<Erasure>('POST', '/v1/me/erasure', { password: PASSWORD });
  expect(status).toBe(202);
  kill('identity', 'orders');
  await eventually(async () => expect((await shop.call('GET', '/readyz')).status).toBe(200), PATIENTLY);
  kill('identity', 'notifications');
  await eventually(async () => expect((await shop.call('GET', '/readyz')).status).toBe(200), PATIENTLY);

  await certified(await done(erasure));
  await nothingIsLeft();

  const { code } = await operator.run('dead-letters replay --all');
  expect(code).toBe(0);
  await eventually(allBalances, PATIENTLY);
  await nothingIsLeft();
  expect(await staff.order(refunded)).toMatchObject({ state: 'REFUNDED', total: { amount: 1_999 }, email: '' });

  const login = await shop.call('POST', '/v1/auth/login', { email: EMAIL, password: PASSWORD });
  expect(login.status).toBe(401);
  const again = await customer();
  expect((await again.call<{ items: unknown[] }>('GET', '/v1/orders')).body.items).toEqual([]);
  await expecting(200, again.call('POST', '/v1/me/orders/claim'));
  expect((await again.call<{ items: unknown[] }>('GET', '/v1/orders')).body.items).toEqual([]);
});

it('erases guests by their address for staff, once their order that is under way has ended (I19)', async () => {
  await expecting(202, staff.call('POST', '/v1/erasures', { email: EMAIL }));
  const open = await order(shop);
  const { body: erasure } = await staff.call<Erasure>('POST', '/v1/erasures', { email: EMAIL });
  await eventually(async () => expect((await stateOf(erasure)).pending).toBeGreaterThan(0), PATIENTLY);
  expect(await staff.order(open)).toMatchObject({ email: EMAIL });

  await fulfil(open.id);

  await done(erasure);
  await nothingIsLeft();
  expect(await staff.order(open)).toMatchObject({ state: 'FULFILLED', email: '' });
  const rerun = await operator.run('erasures rerun');
  expect(rerun.code).toBe(0);
  await done(erasure);
  await eventually(allBalances, PATIENTLY);
});
