import { randomUUID } from 'node:crypto';
import { DomainError } from '@souk/errors';
import { sql } from '@souk/postgres';
import { PrivacyRequestsServiceService } from '@souk/proto/identity/v1';
import { eventually } from '@souk/testing';
import { importJWK, jwtVerify, type JWK } from 'jose';
import { ErasuresStore } from '../src/privacy/erasures.store.js';
import {
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  NOTHING,
  PASSWORD,
  theAdmin,
  type Person,
  type Replica,
} from './identity-under-test.js';

const SLOWLY = { timeoutMs: 30_000 };
const ORDER = randomUUID();
const TABLES = sql(
  'test.tables',
  `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
);

let identity: IdentityUnderTest;
let replica: Replica;
let counter = 0;

beforeEach(async () => {
  identity = await IdentityUnderTest.prepare();
  replica = await identity.start();
});
afterEach(() => identity.tearDown());

const newEmail = () => `lovelace${++counter}@example.com`;

async function erased(person: Person): Promise<{ erasureId: string; accessToken: string }> {
  return as(person, () => replica.account.deleteAccount({ password: PASSWORD, code: '' }));
}

async function stateOf(access: { erasureId: string; accessToken: string }) {
  const { erasure } = await replica.privacy.getErasure(access);
  return erasure!;
}

async function done(access: { erasureId: string; accessToken: string }) {
  return eventually(async () => {
    const erasure = await stateOf(access);
    expect(erasure.state).toBe('STATE_DONE');
    return erasure;
  }, SLOWLY);
}

/** All that the database and the broker hold, as text. */
async function everything(): Promise<string> {
  const { database } = identity.postgres;
  const texts: string[] = [];
  for (const { name } of await database.query<{ name: string }>(TABLES)) {
    const rows = await database.query<{ text: string }>(
      sql(`test.all-${name}`, `SELECT t::text AS text FROM ${name} AS t`),
    );
    texts.push(...rows.map(({ text }) => text));
  }
  const { bus } = identity.nats;
  const { state } = await bus.jsm.streams.info(bus.stream('IDENTITY'));
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await bus.jsm.streams.getMessage(bus.stream('IDENTITY'), { seq });
    if (message) texts.push(message.string());
  }
  return texts.join('\n');
}

const subjectsAskedFor = () => identity.orders.calls.map(({ request }) => (request as { subject?: object }).subject);

it('leaves nothing of a person in tables, outbox and stream, and certifies it (I19)', async () => {
  const email = newEmail();
  const person = await newOwner(identity, replica, email);
  const before = await everything();
  expect(before).toContain(email);
  identity.orders.answer({
    erasePersonalData: () => ({
      ...NOTHING,
      orderIds: [ORDER],
      treatments: [{ what: 'orders', action: 'ACTION_PSEUDONYMISED', count: 1n, reason: 'the law' }],
    }),
  });

  const { certificate, certificateKey } = await done(await erased(person));

  expect(await everything()).not.toContain(email);
  expect(subjectsAskedFor()[0]).toMatchObject({ subjectId: person.userId, email, emailOwned: true });
  const told = identity.payments.calls.map(
    ({ request }) => (request as { subject?: { orderIds: string[] } }).subject?.orderIds,
  );
  expect(told).toContainEqual([ORDER]);
  const key = await importJWK(JSON.parse(certificateKey) as JWK, 'EdDSA');
  const { payload, protectedHeader } = await jwtVerify(certificate, key, { audience: 'souk-erasure' });
  expect(protectedHeader.typ).toBe('erasure+jwt');
  expect(payload['treatments']).toContainEqual({
    service: 'orders',
    what: 'orders',
    action: 'pseudonymised',
    count: 1,
    reason: 'the law',
  });
  expect(JSON.stringify(payload)).not.toMatch(/lovelace/i);
});

it('goes on when a service was away, and loses nothing', async () => {
  let tries = 0;
  identity.payments.answer({
    erasePersonalData: () => {
      if (++tries < 3) throw new DomainError({ kind: 'unavailable', reason: 'AWAY', message: 'It is away.' });
      return NOTHING;
    },
  });
  identity.orders.answer({ erasePersonalData: () => ({ ...NOTHING, orderIds: [ORDER] }) });
  const access = await erased(await newPerson(replica, newEmail()));
  await done(access);
  expect(tries).toBeGreaterThanOrEqual(3);
});

it('goes on where its process ended', async () => {
  identity.orders.answer({ erasePersonalData: () => ({ ...NOTHING, pending: 1 }) });
  const access = await erased(await newPerson(replica, newEmail()));
  await replica.service.stop();
  identity.orders.answer({ erasePersonalData: () => NOTHING });
  replica = await identity.start();
  await done(access);
});

it('waits for an order that is under way', async () => {
  identity.orders.answer({ erasePersonalData: () => ({ ...NOTHING, pending: 1 }) });
  const access = await erased(await newPerson(replica, newEmail()));
  await eventually(
    async () => expect(await stateOf(access)).toMatchObject({ state: 'STATE_ERASING', pending: 1 }),
    SLOWLY,
  );
  expect((await stateOf(access)).certificate).toBe('');
  identity.orders.answer({ erasePersonalData: () => NOTHING });
  await done(access);
});

it('parks an erasure that keeps failing, shows it, and goes on by command', async () => {
  identity.notifications.answer({
    erasePersonalData: () => {
      throw new DomainError({ kind: 'refused', reason: 'BROKEN', message: 'It names ada@example.com.' });
    },
  });
  const access = await erased(await newPerson(replica, newEmail()));
  const parked = await eventually(
    async () => {
      const erasure = await stateOf(access);
      expect(erasure.state).toBe('STATE_PARKED');
      return erasure;
    },
    { timeoutMs: 60_000 },
  );
  expect(parked.error).toBe('BROKEN');
  const stuck = await replica.service.get(ErasuresStore).stuck(10);
  expect(stuck).toEqual([expect.objectContaining({ erasure_id: access.erasureId, parked: true })]);

  identity.notifications.answer({ erasePersonalData: () => NOTHING });
  await as(await theAdmin(replica), () => replica.privacy.resumeErasure({ erasureId: access.erasureId }));
  await done(access);
}, 120_000);

it('is not shown to who has no token of it', async () => {
  const { erasureId } = await erased(await newPerson(replica, newEmail()));
  const other = await newPerson(replica, newEmail());
  for (const accessToken of ['', 'A'.repeat(43)]) {
    await expect(as(other, () => replica.privacy.getErasure({ erasureId, accessToken }))).rejects.toMatchObject({
      reason: 'ERASURE_NOT_FOUND',
    });
  }
  const { erasure } = await as(await theAdmin(replica), () =>
    replica.privacy.getErasure({ erasureId, accessToken: '' }),
  );
  expect(erasure?.erasureId).toBe(erasureId);
});

it('lets nobody log in afterwards, and the address may register anew', async () => {
  const email = newEmail();
  const person = await newOwner(identity, replica, email);
  await done(await erased(person));
  await expect(replica.client.login({ email, password: PASSWORD })).rejects.toMatchObject({ kind: 'unauthenticated' });
  const again = await newOwner(identity, replica, email);
  expect(again.userId).not.toBe(person.userId);
});

it('erases guests by their address, customers by their account once, and nobody who works here', async () => {
  const admin = await theAdmin(replica);
  const customer = await newOwner(identity, replica, newEmail());
  const request = (who: { userId?: string; email?: string }) =>
    as(admin, () => replica.privacy.requestErasure({ userId: '', email: '', ...who }));

  const guest = await request({ email: 'guest@example.com' });
  await eventually(
    () =>
      expect(subjectsAskedFor()).toContainEqual(
        expect.objectContaining({ email: 'guest@example.com', emailOwned: true }),
      ),
    SLOWLY,
  );
  await done({ erasureId: guest.erasure!.erasureId, accessToken: guest.accessToken });

  const first = await request({ userId: customer.userId });
  const again = await request({ userId: customer.userId });
  expect(again.erasure?.erasureId).toBe(first.erasure?.erasureId);
  expect(again.accessToken).toBe('');
  await expect(request({ userId: admin.userId })).rejects.toMatchObject({ reason: 'STAFF_ACCOUNT' });
  await expect(request({})).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
});

it('carries out once more by command what was done before, by the orders that it remembers', async () => {
  identity.orders.answer({ erasePersonalData: () => ({ ...NOTHING, orderIds: [ORDER] }) });
  const access = await erased(await newOwner(identity, replica, newEmail()));
  await done(access);
  const before = identity.orders.calls.length;
  const ops = identity.clientOf(PrivacyRequestsServiceService, replica.service, { caller: 'ops' });
  expect(await ops.rerunErasures({})).toEqual({ erasures: 1 });
  await done(access);
  const asked = identity.orders.calls
    .slice(before)
    .map(({ request }) => (request as { subject?: { orderIds: string[] } }).subject?.orderIds);
  expect(asked).toContainEqual([ORDER]);
});

it('exports what all services keep, page by page', async () => {
  const email = newEmail();
  const person = await newOwner(identity, replica, email);
  identity.orders.answer({
    exportPersonalData: () => ({ records: [{ kind: 'order', json: '{}' }], orderIds: [ORDER], nextPageToken: '' }),
  });
  identity.payments.answer({
    exportPersonalData: () => ({ records: [{ kind: 'payment', json: '{}' }], orderIds: [], nextPageToken: '' }),
  });
  const kinds: string[] = [];
  let pageToken = '';
  do {
    const page = await as(person, () => replica.privacy.exportMyData({ pageToken }));
    kinds.push(...page.records.map(({ kind }) => kind));
    pageToken = page.nextPageToken;
  } while (pageToken);
  expect(kinds).toEqual(['account', 'session', 'order', 'payment']);
});
