import { randomBytes } from 'node:crypto';
import { sql } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { UsersStore } from './accounts/users.store.js';
import { AttemptsStore } from './attempts/attempts.store.js';
import { Housekeeping } from './housekeeping.js';
import { KeyCipher } from './key-cipher.js';
import { ErasuresStore } from './privacy/erasures.store.js';
import { makeProof } from './mails/proofs.store.js';
import { UNKNOWN_DEVICE } from './sessions/device.js';
import { BY_PASSWORD } from './sessions/methods.js';
import { SessionsStore } from './sessions/sessions.store.js';

describe('the housekeeping', () => {
  let postgres: TestDatabase;
  let users: UsersStore;
  let sessions: SessionsStore;
  let housekeeping: Housekeeping;

  beforeEach(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    const { database } = postgres;
    users = new UsersStore(database);
    sessions = new SessionsStore(database, randomBytes(32));
    const attempts = new AttemptsStore(database, randomBytes(32));
    const erasures = new ErasuresStore(database, new KeyCipher(randomBytes(32).toString('base64')), 1);
    housekeeping = new Housekeeping(database, users, attempts, erasures, createLogger('test'));
  });

  afterEach(() => postgres.drop());

  const newUser = async (email: string, roles = ['customer']) =>
    (await postgres.database.transaction((tx) => users.insert(tx, { email, name: 'Ada', roles, passwordHash: 'x' })))
      .userId;
  const own = (userId: string, email: string) => postgres.database.transaction((tx) => users.own(tx, userId, email));
  const dayPasses = () =>
    postgres.database.query(sql('test.day', `UPDATE users SET created_at = created_at - interval '25 hours'`));
  const count = async (table: 'sessions' | 'proofs') =>
    (await postgres.database.query(sql(`test.${table}`, `SELECT 1 FROM ${table}`))).length;

  it('deletes accounts that nobody can reach, tells of it, and leaves all others', async () => {
    const lost = await newUser('a@example.com');
    const owner = await newUser('a@example.com');
    await own(owner, 'a@example.com');
    const older = await newUser('b@example.com');
    const newest = await newUser('b@example.com');
    const used = await newUser('c@example.com');
    await sessions.open(used, UNKNOWN_DEVICE, BY_PASSWORD);
    const beside = await newUser('c@example.com');
    const staff = await newUser('d@example.com', ['customer', 'staff']);
    await newUser('d@example.com');

    await housekeeping.execute();
    expect(await users.find(lost)).toBeDefined();
    await dayPasses();
    await housekeeping.execute();
    expect([await users.find(lost), await users.find(older)]).toEqual([undefined, undefined]);
    for (const userId of [owner, newest, used, beside, staff]) expect(await users.find(userId)).toBeDefined();
    const deleted = sql('test.deleted', `SELECT aggregate_id FROM outbox WHERE type = 'souk.identity.v1.UserDeleted'`);
    const rows = await postgres.database.query<{ aggregate_id: string }>(deleted);
    expect(rows.map((row) => row.aggregate_id).sort()).toEqual([lost, older].sort());
  });

  it('clears expired sessions and links away', async () => {
    const userId = await newUser('a@example.com');
    const link = { purpose: 'VERIFY_EMAIL', email: 'a@example.com' } as const;
    for (const minutes of [-1, 10]) await postgres.database.transaction((tx) => makeProof(tx, { ...link, minutes }));
    await sessions.open(userId, UNKNOWN_DEVICE, BY_PASSWORD);
    await housekeeping.execute();
    expect([await count('sessions'), await count('proofs')]).toEqual([1, 1]);
    await postgres.database.query(sql('test.expire', 'UPDATE sessions SET expires_at = now()'));
    await housekeeping.execute();
    expect(await count('sessions')).toBe(0);
  });
});
