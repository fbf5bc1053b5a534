import { TokenVerifier } from '@souk/auth';
import type { DomainError } from '@souk/errors';
import { decodeEvent } from '@souk/events';
import { sql } from '@souk/postgres';
import { UserRegistered } from '@souk/proto/identity/v1';
import { eventually } from '@souk/testing';
import type { JWK } from 'jose';
import { as, IdentityUnderTest, type IdentityClient } from './identity-under-test.js';

const ada = { email: 'Ada@Example.com', password: 'a quiet garden', name: 'Ada' };
const admin = { email: 'root@souk.local', password: 'a long way home' };

describe('identity', () => {
  let identity: IdentityUnderTest;
  let client: IdentityClient;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    ({ client } = await identity.start({ firstAdmin: admin }));
  });

  afterAll(() => identity.tearDown());

  const nats = () => identity.nats.bus;

  async function publicKeys(): Promise<JWK[]> {
    const { keys } = await client.listSigningKeys({});
    return keys.map(({ jwk }) => JSON.parse(jwk) as JWK);
  }

  async function newUser(email: string) {
    const { user, tokens } = await client.register({ ...ada, email });
    return { user: user!, tokens: tokens! };
  }

  describe('registration', () => {
    it('makes an account and logs it in', async () => {
      const { user, tokens } = await client.register(ada);
      expect(user).toMatchObject({ email: 'Ada@Example.com', name: 'Ada', roles: ['customer'] });
      expect(tokens).toMatchObject({
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
        expiresIn: 900,
      });
    });

    it('refuses an address that has an account, in whatever case', async () => {
      await newUser('taken@example.com');
      await expect(newUser('TAKEN@example.COM')).rejects.toMatchObject({ kind: 'conflict', reason: 'EMAIL_TAKEN' });
    });

    it('gives an address that is asked for twice at once to one of them', async () => {
      const results = await Promise.allSettled([newUser('Twice@example.com'), newUser('twice@example.com')]);
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.map(({ reason }) => (reason as { reason: string }).reason)).toEqual(['EMAIL_TAKEN']);
    });

    it('tells the others of it, once', async () => {
      const { user } = await newUser('told@example.com');
      const { stream, subject } = { stream: nats().stream('IDENTITY'), subject: 'souk.identity.v1.UserRegistered' };
      const told = await eventually(async () => {
        const message = await nats().jsm.streams.getMessage(stream, { last_by_subj: nats().subject(subject) });
        const { aggregateId, data } = decodeEvent(message!.header, message!.data);
        expect(aggregateId).toBe(user.userId);
        return UserRegistered.fromJSON(JSON.parse(data));
      });
      expect(told).toEqual({ userId: user.userId, email: user.email, name: 'Ada', registerTime: user.createTime });
    });

    it('names each wrong field', async () => {
      await expect(client.register({ email: 'x', password: 'short', name: '' })).rejects.toMatchObject({
        kind: 'invalid',
        reason: 'INVALID_ARGUMENT',
        violations: [{ field: 'email' }, { field: 'password' }, { field: 'name' }],
      });
    });

    it('refuses a password that everybody uses', async () => {
      const weak = client.register({ ...ada, email: 'weak@example.com', password: 'password123' });
      await expect(weak).rejects.toMatchObject({ reason: 'PASSWORD_TOO_WEAK', violations: [{ field: 'password' }] });
    });

    it('stores neither password nor refresh token', async () => {
      const { user, tokens } = await newUser('secret@example.com');
      const stored = await identity.postgres.database.query<{ row: string }>(
        sql(
          'test.stored',
          `SELECT users::text || sessions::text AS row FROM users JOIN sessions USING (user_id) WHERE user_id = $1`,
        ),
        [user.userId],
      );
      expect(stored[0]?.row).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
      expect(stored[0]?.row).not.toContain(ada.password);
      expect(stored[0]?.row).not.toContain(Buffer.from(tokens.refreshToken, 'base64url').subarray(16).toString('hex'));
    });
  });

  describe('log-in', () => {
    it('opens a session for the right password, whatever the case of the address', async () => {
      const { user } = await newUser('login@example.com');
      const answer = await client.login({ email: 'LOGIN@example.com', password: ada.password });
      expect(answer.user).toEqual(user);
    });

    it('answers a wrong password and an unknown address alike', async () => {
      await newUser('wrong@example.com');
      const attempts = [
        { email: 'wrong@example.com', password: 'not this one' },
        { email: 'nobody@example.com', password: 'not this one' },
        { email: '', password: '' },
      ];
      const refusals = await Promise.all(attempts.map((attempt) => client.login(attempt).catch(told)));
      expect(refusals[0]).toMatchObject({ kind: 'unauthenticated', reason: 'WRONG_CREDENTIALS' });
      expect(refusals).toEqual([refusals[0], refusals[0], refusals[0]]);
    });
  });

  describe('access tokens', () => {
    it('are verified by the published keys and say who it is', async () => {
      const { user, tokens } = await newUser('token@example.com');
      const verified = await new TokenVerifier(publicKeys).verify(tokens.accessToken);
      expect(verified).toMatchObject({ kind: 'user', userId: user.userId, email: user.email, roles: ['customer'] });
    });

    it('come with public keys only', async () => {
      const [key] = await publicKeys();
      expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: expect.any(String) });
      expect(key).not.toHaveProperty('d');
    });
  });

  describe('sessions', () => {
    it('go on with each new refresh token', async () => {
      const { user, tokens } = await newUser('rotate@example.com');
      const second = await client.refreshSession({ refreshToken: tokens.refreshToken });
      const third = await client.refreshSession({ refreshToken: second.tokens!.refreshToken });
      expect(third.user).toEqual(user);
      expect(third.tokens!.refreshToken).not.toBe(second.tokens!.refreshToken);
    });

    it('end when an old refresh token is used again', async () => {
      const { tokens } = await newUser('reuse@example.com');
      const second = await client.refreshSession({ refreshToken: tokens.refreshToken });
      const ended = { kind: 'unauthenticated', reason: 'SESSION_ENDED' };
      await expect(client.refreshSession({ refreshToken: tokens.refreshToken })).rejects.toMatchObject(ended);
      await expect(client.refreshSession({ refreshToken: second.tokens!.refreshToken })).rejects.toMatchObject(ended);
    });

    it('end by logging out, as often as one likes, and leave other sessions alone', async () => {
      const { tokens } = await newUser('logout@example.com');
      const other = await client.login({ email: 'logout@example.com', password: ada.password });
      await client.logout({ refreshToken: tokens.refreshToken });
      await client.logout({ refreshToken: tokens.refreshToken });
      await client.logout({ refreshToken: 'nonsense' });
      await expect(client.refreshSession({ refreshToken: tokens.refreshToken })).rejects.toMatchObject({
        reason: 'SESSION_ENDED',
      });
      await expect(client.refreshSession({ refreshToken: other.tokens!.refreshToken })).resolves.toBeDefined();
    });
  });

  describe('reading a user', () => {
    it('shows customers themselves and nobody else', async () => {
      const own = await newUser('own@example.com');
      const other = await newUser('other@example.com');
      const { accessToken } = own.tokens;
      expect((await as(accessToken, () => client.getUser({ userId: '' }))).user).toEqual(own.user);
      expect((await as(accessToken, () => client.getUser({ userId: own.user.userId }))).user).toEqual(own.user);
      for (const userId of [other.user.userId, 'nonsense']) {
        await expect(as(accessToken, () => client.getUser({ userId }))).rejects.toMatchObject({
          reason: 'PERMISSION_DENIED',
        });
      }
    });

    it('is not for guests', async () => {
      await expect(client.getUser({ userId: '' })).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    });

    it('shows staff everybody', async () => {
      const { user } = await newUser('shown@example.com');
      const { tokens } = await client.login(admin);
      const read = (userId: string) => as(tokens!.accessToken, () => client.getUser({ userId }));
      expect((await read(user.userId)).user).toEqual(user);
      await expect(read('nonsense')).rejects.toMatchObject({ kind: 'not_found', reason: 'USER_NOT_FOUND' });
      await expect(read('b9b5dc2c-9f04-4f6b-8a1e-0c8d5c7d1f21')).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
    });
  });

  describe('the start', () => {
    it('made the administrator of the configuration', async () => {
      const { user } = await client.login(admin);
      expect(user?.roles).toEqual(['customer', 'staff', 'admin']);
    });

    it('keeps the signing key and makes no second administrator', async () => {
      const keys = await publicKeys();
      const { tokens } = await client.login(admin);
      const replica = await identity.start({ firstAdmin: { email: 'second@souk.local', password: 'another garden' } });
      expect(await publicKeys()).toEqual(keys);
      const { user } = await as(tokens!.accessToken, () => replica.client.getUser({ userId: '' }));
      expect(user?.email).toBe(admin.email);
      const second = replica.client.login({ email: 'second@souk.local', password: 'another garden' });
      await expect(second).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    });
  });

  it('agrees on one key and one administrator when replicas start at once', async () => {
    const fresh = await IdentityUnderTest.prepare();
    try {
      const replicas = await Promise.all(
        ['a@souk.local', 'b@souk.local'].map((email) => fresh.start({ firstAdmin: { ...admin, email } })),
      );
      const keys = await Promise.all(replicas.map(({ client }) => client.listSigningKeys({})));
      expect(keys[0]!.keys).toHaveLength(1);
      expect(keys[1]).toEqual(keys[0]);
      const admins = await fresh.postgres.database.query(sql('test.admins', 'SELECT email FROM users'));
      expect(admins).toHaveLength(1);
    } finally {
      await fresh.tearDown();
    }
  });
});

function told(error: unknown): object {
  const { kind, reason, message, metadata, violations } = error as DomainError;
  return { kind, reason, message, metadata, violations };
}
