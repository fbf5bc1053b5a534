import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { exportJWK, SignJWT, type JWTPayload } from 'jose';
import { testIdentity, type TestIdentity } from './testing.js';
import { TokenVerifier } from './token-verifier.js';

const MINUTE = 60_000;

it('reads the person out of a good token', async () => {
  const identity = await testIdentity();
  const token = await identity.tokenFor({ userId: 'u1', email: 'ada@example.com', roles: ['customer', 'buyers'] });
  expect(await new TokenVerifier(identity.keys).verify(token)).toEqual({
    kind: 'user',
    userId: 'u1',
    email: 'ada@example.com',
    emailVerified: true,
    roles: ['customer', 'buyers'],
    permissions: [],
    sessionId: '',
  });
});

it('reads the program out of a good token', async () => {
  const identity = await testIdentity();
  const token = await identity.clientToken({ clientId: 'c1', permissions: ['orders:read'] });
  expect(await new TokenVerifier(identity.keys).verify(token)).toEqual({
    kind: 'client',
    clientId: 'c1',
    permissions: ['orders:read'],
  });
});

describe('the verifier refuses', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const inAnHour = Math.floor(Date.now() / 1000) + 3_600;
  const claims: JWTPayload = { sub: 'u1', iss: 'souk', aud: 'souk', exp: inAnHour, roles: ['admin'] };
  const header = { alg: 'EdDSA', kid: 'k1' };
  let verifier: TokenVerifier;

  beforeEach(async () => {
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
    verifier = new TokenVerifier(async () => [jwk]);
  });

  const signed = (payload: JWTPayload, protectedHeader: object = header, key = privateKey) =>
    new SignJWT(payload).setProtectedHeader(protectedHeader as { alg: string }).sign(key);
  const unsigned = (protectedHeader: object, signature = '') =>
    [protectedHeader, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
    `.${signature}`;
  const refused = (token: string) =>
    expect(verifier.verify(token)).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });

  it('nothing of what follows where it is right', async () => {
    expect(await verifier.verify(await signed(claims))).toMatchObject({ userId: 'u1' });
  });

  it.each<[string, JWTPayload]>([
    ['that has expired', { ...claims, exp: Math.floor(Date.now() / 1000) - 61 }],
    ['that is not valid yet', { ...claims, nbf: Math.floor(Date.now() / 1000) + 90 }],
    ['that never expires', { ...claims, exp: undefined }],
    ['of another issuer', { ...claims, iss: 'elsewhere' }],
    ['of no issuer', { ...claims, iss: undefined }],
    ['made for another audience', { ...claims, aud: 'another shop' }],
    ['made for nobody', { ...claims, aud: undefined }],
    ['about nobody', { ...claims, sub: undefined }],
  ])('a token %s', async (_case, payload) => refused(await signed(payload)));

  it('a token whose claims were changed', async () => {
    const [head, , signature] = (await signed({ ...claims, roles: [] })).split('.');
    const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
    await refused(`${head}.${changed}.${signature}`);
  });

  it('a token that somebody else signed under the same key identifier', async () => {
    await refused(await signed(claims, header, generateKeyPairSync('ed25519').privateKey));
  });

  it.each(['none', 'None', 'NONE', 'nOnE'])('a token without a signature (alg %s)', async (alg) => {
    await refused(unsigned({ alg, kid: 'k1' }));
    await refused(unsigned({ alg }));
  });

  it.each(['HS256', 'HS512'])('a token signed by %s with the public key for its secret', async (alg) => {
    const jwk = await exportJWK(publicKey);
    const guesses = [
      createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
      Buffer.from(jwk.x ?? '', 'base64url'),
      JSON.stringify({ ...jwk, kid: 'k1' }),
    ];
    for (const secret of guesses) {
      const input = unsigned({ alg, kid: 'k1' }).slice(0, -1);
      const mac = createHmac(alg === 'HS256' ? 'sha256' : 'sha512', secret)
        .update(input)
        .digest('base64url');
      await refused(`${input}.${mac}`);
    }
  });

  it.each<[string, object]>([
    ['an unknown key', { kid: 'another' }],
    ['no key', { kid: undefined }],
    ['a path', { kid: '../../../../dev/null' }],
    ['a statement', { kid: "k1' OR '1'='1" }],
    ['a property of every object', { kid: '__proto__' }],
    ['a very long name', { kid: 'k'.repeat(100_000) }],
    ['a name that is no text', { kid: ['k1'] }],
    ['an extension that nobody understands', { crit: ['exp2'], exp2: 1 }],
  ])('a token whose header names %s', async (_case, change) => {
    const { privateKey: own } = generateKeyPairSync('ed25519');
    await refused(await signed(claims, { ...header, ...change, crit: undefined }, own));
    await refused(unsigned({ ...header, ...change }, 'AAAA'));
  });

  it('a token that brings or names its own key', async () => {
    const own = generateKeyPairSync('ed25519');
    const jwk = await exportJWK(own.publicKey);
    for (const brought of [{ jwk }, { jku: 'https://elsewhere.example/jwks' }, { x5u: 'https://elsewhere.example' }]) {
      await refused(await signed(claims, { ...header, ...brought }, own.privateKey));
      await refused(await signed(claims, { alg: 'EdDSA', ...brought }, own.privateKey));
    }
  });

  it.each(['', 'rubbish', 'a.b.c', '..', `${'a'.repeat(2_000_000)}.b.c`])('what is no token', (token) =>
    refused(token),
  );
});

it('allows clocks to differ by a minute (F26)', async () => {
  const identity = await testIdentity();
  const verifier = new TokenVerifier(identity.keys);
  const token = await identity.tokenFor({ userId: 'u1', expiresIn: '-50 seconds' });
  await expect(verifier.verify(token)).resolves.toBeDefined();
});

describe('the keys', () => {
  let now: number;
  let published: TestIdentity[];
  let fetches: number;
  let away: boolean;
  let verifier: TokenVerifier;

  beforeEach(() => {
    now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    [published, fetches, away] = [[], 0, false];
    verifier = new TokenVerifier(async () => {
      fetches++;
      if (away) throw new Error('identity is away');
      return (await Promise.all(published.map(({ keys }) => keys()))).flat();
    });
  });

  afterEach(() => jest.restoreAllMocks());

  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const long = { userId: 'u1', expiresIn: '1 hour' };

  it('are fetched once for many tokens, and again for one that is new', async () => {
    const [first, second] = [await testIdentity('first'), await testIdentity('second')];
    published = [first];
    const people = Array.from({ length: 20 }, (_, n) => `u${n}`);
    const tokens = await Promise.all(people.map((userId) => first.tokenFor({ userId })));
    const users = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(users).toMatchObject(people.map((userId) => ({ userId })));
    expect(fetches).toBe(1);
    published = [first, second];
    now += 6_000;
    await verifier.verify(await second.tokenFor({ userId: 'u1' }));
    expect(fetches).toBe(2);
  });

  it('are not fetched for every token with an unknown one', async () => {
    published = [await testIdentity('known')];
    const token = await (await testIdentity('unknown')).tokenFor({ userId: 'u1' });
    for (let n = 0; n < 10; n++)
      await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
    expect(fetches).toBe(1);
  });

  it('are forgotten when they are withdrawn, also with tokens that were seen before', async () => {
    const [stolen, next] = [await testIdentity('stolen'), await testIdentity('next')];
    published = [stolen];
    const token = await stolen.tokenFor(long);
    await verifier.verify(token);
    published = [next];
    now += 5 * MINUTE + 1;
    await verifier.verify(token);
    await settled();
    now += 5 * MINUTE + 1;
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  it('go on being used while identity is away', async () => {
    const identity = await testIdentity();
    published = [identity];
    await verifier.verify(await identity.tokenFor(long));
    away = true;
    for (let n = 0; n < 10; n++) {
      now += 5 * MINUTE + 1;
      await verifier.verify(await identity.tokenFor({ ...long, sessionId: `s${n}` }));
      await settled();
    }
    expect(fetches).toBe(11);
  });

  it('are out of reach: it says so, and not that the token is bad', async () => {
    away = true;
    const token = await (await testIdentity()).tokenFor({ userId: 'u1' });
    await expect(verifier.verify(token)).rejects.toThrow('identity is away');
  });
});
