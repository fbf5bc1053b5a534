import { randomBytes } from 'node:crypto';
import { TokenVerifier } from '@souk/auth';
import { sql } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { KeyCipher } from '../key-cipher.js';
import { RolesStore } from '../roles/roles.store.js';
import { BY_PASSWORD } from '../sessions/methods.js';
import { AccessTokens } from './access-tokens.js';
import { KeyRotation } from './key-rotation.js';
import { KEY_LEAD_SECONDS, SigningKeys } from './signing-keys.js';
import { SigningKeysStore } from './signing-keys.store.js';

const DAY = 24 * 3_600;
const user = {
  userId: 'u1',
  email: 'ada@example.com',
  emailVerified: true,
  name: 'Ada',
  roles: ['customer'],
  createdAt: new Date(),
};

describe('signing keys', () => {
  let postgres: TestDatabase;
  let store: SigningKeysStore;
  let cipher: KeyCipher;
  let keys: SigningKeys;

  beforeEach(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    store = new SigningKeysStore(postgres.database);
    cipher = new KeyCipher(randomBytes(32).toString('base64'));
    keys = new SigningKeys(store, cipher);
  });

  afterEach(() => postgres.drop());

  const replica = () => new SigningKeys(store, cipher);
  const rotation = (days = 90) => new KeyRotation(keys, store, createLogger('test'), days);
  const published = async () => (await keys.published()).map(({ jwk }) => jwk.kid);
  const pass = (seconds: number) =>
    postgres.database.query(
      sql('test.pass', 'UPDATE signing_keys SET signs_from = signs_from - make_interval(secs => $1)'),
      [seconds],
    );

  it('are one at first, also when five replicas make it at once', async () => {
    const replicas = Array.from({ length: 5 }, replica);
    await Promise.all(replicas.map((each) => each.onModuleInit()));
    expect(new Set((await Promise.all(replicas.map((each) => each.current()))).map(({ keyId }) => keyId)).size).toBe(1);
    expect(await published()).toHaveLength(1);
  });

  it('do not open with another key for encryption, which is said in a plain sentence', async () => {
    await keys.onModuleInit();
    const other = new SigningKeys(store, new KeyCipher(randomBytes(32).toString('base64')));
    await expect(other.onModuleInit()).rejects.toThrow(
      'SOUK_KEY_ENCRYPTION_KEY is wrong: it does not open the signing key',
    );
  });

  it('are published before they sign, and all replicas change over at once', async () => {
    const replicas = [keys, replica(), replica()];
    await keys.onModuleInit();
    const [first] = await published();
    await keys.rotate();
    const [second] = await published();
    expect(await published()).toEqual([second, first]);
    const signers = async () => (await Promise.all(replicas.map((each) => each.current()))).map(({ keyId }) => keyId);
    await pass(KEY_LEAD_SECONDS - 1);
    expect(await signers()).toEqual([first, first, first]);
    await pass(1);
    expect(await signers()).toEqual([second, second, second]);
  });

  it('get one successor, however often and by how many it is asked for', async () => {
    await keys.onModuleInit();
    const made = await Promise.all(Array.from({ length: 8 }, () => replica().rotate()));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await keys.rotate()).toBe(false);
    expect(await published()).toHaveLength(2);
  });

  it('are rotated when they have signed for as long as is set, and not before', async () => {
    await keys.onModuleInit();
    await pass(90 * DAY - KEY_LEAD_SECONDS - 60);
    await rotation().execute();
    expect(await published()).toHaveLength(1);
    await pass(60);
    await Promise.all([rotation().execute(), rotation().execute()]);
    expect(await published()).toHaveLength(2);
  });

  it('stay published until no token that they signed can be good any more', async () => {
    await keys.onModuleInit();
    const [first] = await published();
    await keys.rotate();
    await pass(KEY_LEAD_SECONDS + 19 * 60);
    await rotation().execute();
    expect(await published()).toContain(first);
    await pass(60);
    await rotation().execute();
    expect(await published()).toEqual([expect.not.stringMatching(first!)]);
    // And the one that is left signs.
    expect((await keys.current()).keyId).toEqual((await published())[0]);
  });

  /** Issues the user's token for a session. */
  function issuer(): (sessionId: string) => Promise<string> {
    const policy = { secondFactorRequired: false, passwordRefused: false };
    const tokens = new AccessTokens(keys, new RolesStore(postgres.database), policy);
    return async (sessionId) => (await tokens.issue(user, { sessionId, methods: BY_PASSWORD })).accessToken;
  }

  it('let tokens of all of them in, through a whole rotation (F80)', async () => {
    await keys.onModuleInit();
    const issue = issuer();
    const known = new TokenVerifier(async () => (await keys.published()).map(({ jwk }) => jwk));
    const old = await issue('s1');
    await known.verify(old);
    await keys.rotate();
    await pass(KEY_LEAD_SECONDS);
    const young = await issue('s2');
    const fresh = new TokenVerifier(async () => (await keys.published()).map(({ jwk }) => jwk));
    for (const token of [old, young]) expect(await fresh.verify(token)).toMatchObject({ userId: 'u1' });
    expect(young.split('.')[0]).not.toBe(old.split('.')[0]);
  });

  it('are replaced at once where one was stolen, also by several at the same time', async () => {
    await keys.onModuleInit();
    const issue = issuer();
    const [first] = await published();
    await keys.rotate();
    const stolen = await issue('s1');
    await Promise.all([replica().replaceAll(), replica().replaceAll(), keys.replaceAll()]);
    expect(await published()).toHaveLength(1);
    expect(await published()).not.toContain(first);
    const verifier = new TokenVerifier(async () => (await keys.published()).map(({ jwk }) => jwk));
    await expect(verifier.verify(stolen)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
    await expect(verifier.verify(await issue('s1'))).resolves.toBeDefined();
  });

  it('are stored sealed', async () => {
    await keys.onModuleInit();
    const { privateKey } = await keys.current();
    const secret = Buffer.from((privateKey.export({ format: 'jwk' }) as { d: string }).d, 'base64url');
    const rows = sql('test.keys', 'SELECT sealed_private_key FROM signing_keys');
    const [row] = await postgres.database.query<{ sealed_private_key: Buffer }>(rows);
    expect(row!.sealed_private_key.includes(secret)).toBe(false);
  });
});
