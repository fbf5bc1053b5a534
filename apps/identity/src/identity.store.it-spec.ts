import { randomBytes } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { sql } from '@souk/postgres';
import { KeyCipher } from './key-cipher.js';
import { parseRefreshToken } from './sessions/refresh-token.js';
import { SessionsStore } from './sessions/sessions.store.js';
import { SigningKeys } from './tokens/signing-keys.js';
import { SigningKeysStore } from './tokens/signing-keys.store.js';
import { UsersStore, type NewUser } from './accounts/users.store.js';

const newCipher = () => new KeyCipher(randomBytes(32).toString('base64'));
const nothing = async () => undefined;

describe('what identity stores', () => {
  let postgres: TestDatabase;
  let users: UsersStore;
  let sessions: SessionsStore;

  beforeAll(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    users = new UsersStore(postgres.database);
    sessions = new SessionsStore(postgres.database);
  });

  afterAll(() => postgres.drop());

  const aUser = (email: string): NewUser => ({ email, name: 'Ada', roles: ['customer'], passwordHash: 'x' });

  async function newSession(email: string) {
    const { userId } = await users.insert(aUser(email), nothing);
    return { userId, token: parseRefreshToken(await sessions.open(userId))! };
  }

  it('gives an address to one of ten that ask for it at once', async () => {
    const asked = Array.from({ length: 10 }, () => users.insert(aUser('ten@example.com'), nothing));
    const results = await Promise.allSettled(asked);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('keeps nothing of an account whose session could not be opened', async () => {
    const failing = users.insert(aUser('half@example.com'), () => Promise.reject(new Error('no session')));
    await expect(failing).rejects.toThrow('no session');
    expect(await users.findByEmail('half@example.com')).toBeUndefined();
    const events = sql('test.events', `SELECT id FROM outbox WHERE data LIKE '%half@example.com%'`);
    expect(await postgres.database.query(events)).toEqual([]);
  });

  it('exchanges a token that is presented twice at once for one', async () => {
    const { token } = await newSession('race@example.com');
    const rotations = await Promise.all([sessions.rotate(token), sessions.rotate(token)]);
    expect(rotations.map(({ outcome }) => outcome).sort()).toEqual(['reused', 'rotated']);
  });

  it('ends a session that nobody refreshed for thirty days', async () => {
    const { userId, token } = await newSession('late@example.com');
    const age = sql('test.age', `UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1`);
    await postgres.database.query(age, [userId]);
    expect(await sessions.rotate(token)).toEqual({ outcome: 'unknown' });
  });

  it('clears a person’s expired sessions away with the next log-in', async () => {
    const { userId } = await newSession('clear@example.com');
    await postgres.database.query(sql('test.expire', 'UPDATE sessions SET expires_at = now() WHERE user_id = $1'), [
      userId,
    ]);
    await sessions.open(userId);
    const left = sql('test.left', 'SELECT session_id FROM sessions WHERE user_id = $1');
    expect(await postgres.database.query(left, [userId])).toHaveLength(1);
  });

  it('keeps one signing key, also when five replicas make one at once', async () => {
    const cipher = newCipher();
    const store = new SigningKeysStore(postgres.database);
    const replicas = Array.from({ length: 5 }, () => new SigningKeys(store, cipher));
    await Promise.all(replicas.map((keys) => keys.load()));
    expect(new Set(replicas.map((keys) => keys.current().keyId)).size).toBe(1);
    expect(await store.list()).toHaveLength(1);
  });

  it('makes one administrator, also when replicas make one at once', async () => {
    const admins = ['a', 'b', 'c'].map((name) => ({ ...aUser(`${name}@souk.local`), roles: ['admin'] as const }));
    const made = await Promise.all(admins.map((admin) => users.insertFirstAdmin(admin)));
    expect(made.filter((admin) => admin !== undefined)).toHaveLength(1);
  });

  it('says in a plain sentence that the key for encryption is another one', async () => {
    const keys = new SigningKeys(new SigningKeysStore(postgres.database), newCipher());
    await expect(keys.load()).rejects.toThrow('SOUK_KEY_ENCRYPTION_KEY is wrong: it does not open the signing key');
  });
});
