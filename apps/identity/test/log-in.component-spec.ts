import { TokenVerifier } from '@souk/auth';
import { sql } from '@souk/postgres';
import { IdentityServiceService } from '@souk/proto/identity/v1';
import type { JWK } from 'jose';
import {
  ADMIN,
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  PASSWORD,
  passwordHashes,
  refusal,
  toPerson,
  type Replica,
} from './identity-under-test.js';

describe('logging in', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterAll(() => identity.tearDown());

  const login = (email: string, password = PASSWORD, address = '') =>
    replica.client.login({ email, password, device: { address, userAgent: 'Shop/1.0' } });
  const pass = (seconds: number) =>
    identity.postgres.database.query(
      sql('test.pass', 'UPDATE attempts SET blocked_until = blocked_until - make_interval(secs => $1)'),
      [seconds],
    );

  it('opens a session for the right password, whatever the case of the address', async () => {
    const { userId } = await newPerson(replica, 'login@example.com');
    expect((await login('LOGIN@example.com')).user?.userId).toBe(userId);
  });

  it('issues access tokens that the published keys verify and that say who it is', async () => {
    const { userId, email } = await newPerson(replica, 'token@example.com');
    const { tokens } = await login(email);
    const keys = async () => (await replica.client.listSigningKeys({})).keys.map(({ jwk }) => JSON.parse(jwk) as JWK);
    const [key] = await keys();
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: expect.any(String) });
    expect(key).not.toHaveProperty('d');
    expect(await new TokenVerifier(keys).verify(tokens!.accessToken)).toEqual({
      kind: 'user',
      userId,
      email,
      emailVerified: false,
      roles: ['customer'],
      permissions: [],
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  describe('with several accounts at one address', () => {
    it('finds the owner’s, and the newest of the others, each by its own password', async () => {
      const owner = await newOwner(identity, replica, 'several@example.com');
      const register = (password: string) =>
        replica.client.register({ email: 'several@example.com', password, name: 'Eve' });
      const older = toPerson(await register('an older garden'));
      const newer = toPerson(await register('a newer garden'));
      expect((await login('several@example.com')).user?.userId).toBe(owner.userId);
      expect((await login('several@example.com', 'a newer garden')).user?.userId).toBe(newer.userId);
      expect(await refusal(login('several@example.com', 'an older garden'))).toMatchObject({
        reason: 'WRONG_CREDENTIALS',
      });
      expect(older.userId).not.toBe(newer.userId);
    });

    it('prefers the owner’s where the passwords are the same', async () => {
      const owner = await newOwner(identity, replica, 'same@example.com');
      await newPerson(replica, 'same@example.com');
      expect((await login('same@example.com')).user?.userId).toBe(owner.userId);
    });
  });

  describe('tells nobody who has an account:', () => {
    const cases: [string, string, string][] = [
      ['an unknown address', 'nobody@example.com', 'not this one'],
      ['an owner', 'owner@example.com', 'not this one'],
      ['an account without proof', 'without@example.com', 'not this one'],
      ['an owner and an account without proof', 'both@example.com', 'not this one'],
      ['a text that is no password', 'owner@example.com', 'x'],
      ['a text that is no address', 'x'.repeat(10_000), 'not this one'],
      ['nothing', '', ''],
    ];

    beforeAll(async () => {
      await newOwner(identity, replica, 'owner@example.com');
      await newPerson(replica, 'without@example.com');
      await newOwner(identity, replica, 'both@example.com');
      await newPerson(replica, 'both@example.com');
    });

    it.each(cases)('%s has the same answer after the same work', async (_case, email, password) => {
      const before = await passwordHashes();
      expect(await refusal(login(email, password))).toEqual({
        kind: 'unauthenticated',
        reason: 'WRONG_CREDENTIALS',
        message: 'The e-mail address or the password is wrong.',
        metadata: {},
        violations: [],
      });
      expect((await passwordHashes()) - before).toBe(2);
    });

    it('a right password takes the same work too', async () => {
      const before = await passwordHashes();
      await login('owner@example.com');
      expect((await passwordHashes()) - before).toBe(2);
    });

    // Wide bounds: what is shown is that nothing answers without hashing.
    it('the answers take about the same time', async () => {
      const times = new Map<string, number>();
      for (const email of ['owner@example.com', 'nobody@example.com', 'without@example.com']) {
        const samples: number[] = [];
        for (let n = 0; n < 5; n++) {
          const startedAt = performance.now();
          await refusal(login(email, 'not this one'));
          samples.push(performance.now() - startedAt);
          await identity.postgres.database.query(sql('test.forgive', 'DELETE FROM attempts'));
        }
        times.set(email, Math.min(...samples));
      }
      expect(Math.max(...times.values()) / Math.min(...times.values())).toBeLessThan(5);
    });

    it('known and unknown addresses are locked out alike', async () => {
      for (const email of ['owner@example.com', 'nowhere@example.com']) {
        await identity.postgres.database.query(sql('test.forgive', 'DELETE FROM attempts'));
        for (let n = 0; n < 5; n++) await refusal(login(email, 'not this one'));
        const before = await passwordHashes();
        expect(await refusal(login(email))).toMatchObject({
          kind: 'exhausted',
          reason: 'TOO_MANY_ATTEMPTS',
          metadata: { retry_after: '30' },
        });
        expect((await passwordHashes()) - before).toBe(0);
      }
    });
  });

  describe('when somebody guesses', () => {
    beforeEach(() => identity.postgres.database.query(sql('test.forgive', 'DELETE FROM attempts')));

    it('lets five of a hundred at once through, over all replicas', async () => {
      const other = await identity.start();
      const { email } = await newPerson(replica, 'guessed@example.com');
      const before = await passwordHashes();
      const guesses = Array.from({ length: 100 }, (_, n) =>
        refusal((n % 2 ? replica : other).client.login({ email, password: `guess number ${n}` })),
      );
      const reasons = (await Promise.all(guesses)).map((told) => (told as { reason: string }).reason);
      expect(reasons.filter((reason) => reason === 'WRONG_CREDENTIALS')).toHaveLength(5);
      expect(reasons.filter((reason) => reason === 'TOO_MANY_ATTEMPTS')).toHaveLength(95);
      expect((await passwordHashes()) - before).toBe(10);
    });

    it('makes each further pause longer, and lets the owner in between', async () => {
      const { email } = await newPerson(replica, 'paused@example.com');
      for (let n = 0; n < 5; n++) await refusal(login(email, 'not this one'));
      await pass(30);
      await refusal(login(email, 'not this one'));
      expect(await refusal(login(email))).toMatchObject({ metadata: { retry_after: '60' } });
      await pass(60);
      await expect(login(email)).resolves.toBeDefined();
      // Forgiven with the success.
      for (let n = 0; n < 4; n++) await refusal(login(email, 'not this one'));
      await expect(login(email)).resolves.toBeDefined();
    });

    /** As if everything that was tried once had been tried so often. */
    const triedBefore = (times: number) =>
      identity.postgres.database.query(sql('test.tried', 'UPDATE attempts SET count = $1'), [times]);

    it('stops who tries many accounts from one place, and nobody elsewhere', async () => {
      const { email } = await newPerson(replica, 'place@example.com');
      await refusal(login('one@example.com', 'not this one', '203.0.113.7'));
      await triedBefore(48);
      await refusal(login('another@example.com', 'not this one', '203.0.113.7'));
      await expect(login(email, PASSWORD, '203.0.113.7')).resolves.toBeDefined();
      await refusal(login('a-third@example.com', 'not this one', '203.0.113.7'));
      expect(await refusal(login(email, PASSWORD, '203.0.113.7'))).toMatchObject({ reason: 'TOO_MANY_ATTEMPTS' });
      await expect(login(email, PASSWORD, '203.0.113.8')).resolves.toBeDefined();
      await expect(login(email)).resolves.toBeDefined();
    });

    it('does not forgive a place for what it knows itself', async () => {
      const { email } = await newPerson(replica, 'knows@example.com');
      await login(email, PASSWORD, '203.0.113.9');
      await triedBefore(48);
      await refusal(login('one@example.com', 'not this one', '203.0.113.9'));
      await login(email, PASSWORD, '203.0.113.9');
      await refusal(login('another@example.com', 'not this one', '203.0.113.9'));
      expect(await refusal(login(email, PASSWORD, '203.0.113.9'))).toMatchObject({ reason: 'TOO_MANY_ATTEMPTS' });
    });

    it('hears of tries by the gateway alone, which knows where they come from', async () => {
      const stranger = identity.clientOf(IdentityServiceService, replica.service, {
        serviceToken: 'not the token of the services',
      });
      const device = { address: '198.51.100.1', userAgent: '' };
      const attempt = stranger.login({ email: 'x@example.com', password: 'not this one', device });
      expect(await refusal(attempt)).toMatchObject({ reason: 'UNAUTHENTICATED' });
      const rows = sql('test.attempts', 'SELECT count FROM attempts');
      expect(await identity.postgres.database.query(rows)).toHaveLength(0);
      await refusal(replica.client.login({ email: 'x@example.com', password: 'not this one', device }));
      expect(await identity.postgres.database.query(rows)).toHaveLength(2);
    });
  });

  describe('reading a user', () => {
    it('shows customers themselves and nobody else', async () => {
      const [own, other] = [await newPerson(replica, 'own@example.com'), await newPerson(replica, 'other@example.com')];
      for (const userId of ['', own.userId]) {
        expect((await as(own, () => replica.client.getUser({ userId }))).user).toMatchObject({ userId: own.userId });
      }
      for (const userId of [other.userId, 'nonsense']) {
        await expect(as(own, () => replica.client.getUser({ userId }))).rejects.toMatchObject({
          reason: 'PERMISSION_DENIED',
        });
      }
    });

    it('is not for guests', async () => {
      await expect(replica.client.getUser({ userId: '' })).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    });

    it('shows staff everybody', async () => {
      const { userId } = await newPerson(replica, 'shown@example.com');
      const admin = toPerson(await replica.client.login(ADMIN));
      const read = (id: string) => as(admin, () => replica.client.getUser({ userId: id }));
      expect((await read(userId)).user).toMatchObject({ userId });
      for (const id of ['nonsense', 'b9b5dc2c-9f04-4f6b-8a1e-0c8d5c7d1f21']) {
        await expect(read(id)).rejects.toMatchObject({ kind: 'not_found', reason: 'USER_NOT_FOUND' });
      }
    });
  });
});
