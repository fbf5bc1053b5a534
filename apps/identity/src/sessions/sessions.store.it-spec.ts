import { randomBytes } from 'node:crypto';
import { sql } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { UsersStore } from '../accounts/users.store.js';
import { UNKNOWN_DEVICE } from './device.js';
import { BY_PASSWORD } from './methods.js';
import { parseRefreshToken } from './refresh-token.js';
import { SESSIONS_AT_MOST, SessionsStore } from './sessions.store.js';

const DEVICE = { address: '203.0.113.7', userAgent: 'Shop/1.0' };

describe('sessions', () => {
  let postgres: TestDatabase;
  let sessions: SessionsStore;

  beforeAll(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    sessions = new SessionsStore(postgres.database, randomBytes(32));
  });

  afterAll(() => postgres.drop());

  async function newUser(): Promise<string> {
    const user = { email: 'a@example.com', name: 'Ada', roles: ['customer'], passwordHash: 'x' };
    return (await postgres.database.transaction((tx) => new UsersStore(postgres.database).insert(tx, user))).userId;
  }

  async function newSession() {
    const userId = await newUser();
    const { sessionId, refreshToken } = await sessions.open(userId, DEVICE, BY_PASSWORD);
    return { userId, sessionId, token: parseRefreshToken(refreshToken)! };
  }

  const rotate = async (token: ReturnType<typeof parseRefreshToken>) => {
    const rotation = await sessions.rotate(token!, UNKNOWN_DEVICE);
    return rotation && parseRefreshToken(rotation.refreshToken);
  };
  const pass = (userId: string, seconds: number) =>
    postgres.database.query(
      sql(
        'test.pass_sessions',
        `UPDATE sessions SET rotated_at = rotated_at - make_interval(secs => $2), expires_at = expires_at - make_interval(secs => $2),
           last_used_at = last_used_at - make_interval(secs => $2) WHERE user_id = $1`,
      ),
      [userId, seconds],
    );
  const stored = (userId: string) =>
    postgres.database.query<{ row: string }>(
      sql('test.sessions', 'SELECT sessions::text AS row FROM sessions WHERE user_id = $1'),
      [userId],
    );

  it('go from one token to the next', async () => {
    const { token, userId, sessionId } = await newSession();
    const second = await rotate(token);
    await pass(userId, 11);
    const third = await rotate(second);
    expect(third).toBeDefined();
    expect(await sessions.list(userId)).toMatchObject([{ sessionId, device: DEVICE }]);
  });

  it('give a token that is presented twice at once the same next one', async () => {
    const { token } = await newSession();
    const [one, other] = await Promise.all([rotate(token), rotate(token)]);
    expect(one).toBeDefined();
    expect(other).toEqual(one);
  });

  it('give a client that lost the answer the same one for ten seconds and no longer', async () => {
    const { token, userId } = await newSession();
    const second = await rotate(token);
    await pass(userId, 9);
    expect(await rotate(token)).toEqual(second);
    await pass(userId, 2);
    expect(await rotate(token)).toBeUndefined();
  });

  it('take no token that is older than the one before', async () => {
    const { token } = await newSession();
    const second = await rotate(token);
    await rotate(second);
    expect(await rotate(token)).toBeUndefined();
    expect(await rotate(second)).toBeDefined();
  });

  it('are not found by the identifier that they are shown with', async () => {
    const { token, sessionId } = await newSession();
    expect(token.familyId).not.toBe(sessionId);
    expect(await sessions.endFamily({ ...token, familyId: sessionId })).toBeUndefined();
    expect(await rotate(token)).toBeDefined();
  });

  it('end when nobody refreshed them for thirty days', async () => {
    const { userId, token } = await newSession();
    await pass(userId, 30 * 24 * 3_600 + 1);
    expect(await rotate(token)).toBeUndefined();
    expect(await sessions.endFamily(token)).toBeUndefined();
  });

  it('are ended by their owner alone', async () => {
    const [own, other] = [await newSession(), await newSession()];
    await sessions.end(own.userId, other.sessionId);
    expect(await sessions.list(other.userId)).toHaveLength(1);
    await sessions.end(own.userId, own.sessionId);
    expect(await sessions.list(own.userId)).toEqual([]);
  });

  it('are cleared away with the next log-in when they have expired', async () => {
    const { userId } = await newSession();
    await pass(userId, 31 * 24 * 3_600);
    await sessions.open(userId, DEVICE, BY_PASSWORD);
    expect(await stored(userId)).toHaveLength(1);
  });

  it('are bounded for each person: the one that was used least recently goes', async () => {
    const { userId, sessionId, token } = await newSession();
    await pass(userId, 60);
    for (let n = 0; n < SESSIONS_AT_MOST; n++) await sessions.open(userId, DEVICE, BY_PASSWORD);
    const listed = await sessions.list(userId);
    expect(listed).toHaveLength(SESSIONS_AT_MOST);
    expect(listed.map((session) => session.sessionId)).not.toContain(sessionId);
    expect(await rotate(token)).toBeUndefined();
  });

  it('are stored without their tokens', async () => {
    const { userId, token } = await newSession();
    const next = await rotate(token);
    const [row] = await stored(userId);
    for (const { secret } of [token, next!]) expect(row!.row).not.toContain(secret.toString('hex'));
  });
});
