import { SignJWT, generateKeyPair } from 'jose';
import { testIdentity } from './testing.js';
import { TokenVerifier } from './token-verifier.js';

it('reads the person out of a good token', async () => {
  const identity = await testIdentity();
  const token = await identity.tokenFor({ userId: 'u1', email: 'ada@example.com', roles: ['customer', 'staff'] });
  expect(await new TokenVerifier(identity.keys).verify(token)).toEqual({
    kind: 'user',
    userId: 'u1',
    email: 'ada@example.com',
    roles: ['customer', 'staff'],
  });
});

it('refuses what is expired, signed by another, made for another, or no token at all', async () => {
  const identity = await testIdentity();
  const stranger = await testIdentity();
  const { privateKey } = await generateKeyPair('EdDSA');
  const elsewhere = new SignJWT({})
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test-key' })
    .setSubject('u1')
    .setIssuer('souk')
    .setAudience('another shop')
    .setExpirationTime('1 hour');
  const tokens = [
    await identity.tokenFor({ userId: 'u1', expiresIn: '-2 minutes' }),
    await stranger.tokenFor({ userId: 'u1' }),
    await elsewhere.sign(privateKey),
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.',
    'rubbish',
  ];
  const verifier = new TokenVerifier(identity.keys);
  for (const token of tokens) await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
});

it('fetches the keys once for many tokens, and again for a key that is new', async () => {
  const [first, second] = [await testIdentity('first'), await testIdentity('second')];
  let fetches = 0;
  const verifier = new TokenVerifier(async () => {
    fetches++;
    return [...(await first.keys()), ...(await second.keys())];
  });
  const people = Array.from({ length: 20 }, (_, n) => `u${n}`);
  const tokens = await Promise.all(people.map((userId) => first.tokenFor({ userId })));
  const users = await Promise.all(tokens.map((token) => verifier.verify(token)));
  expect(users.map(({ userId }) => userId)).toEqual(people);
  await verifier.verify(await second.tokenFor({ userId: 'u1' }));
  expect(fetches).toBe(1);
});

it('does not fetch for every token with an unknown key', async () => {
  const [known, unknown] = [await testIdentity('known'), await testIdentity('unknown')];
  let fetches = 0;
  const verifier = new TokenVerifier(() => {
    fetches++;
    return known.keys();
  });
  const token = await unknown.tokenFor({ userId: 'u1' });
  for (let n = 0; n < 10; n++) await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  expect(fetches).toBe(1);
});

it('says that the keys are out of reach, not that the token is bad', async () => {
  const identity = await testIdentity();
  const verifier = new TokenVerifier(() => Promise.reject(new Error('identity is away')));
  await expect(verifier.verify(await identity.tokenFor({ userId: 'u1' }))).rejects.toThrow('identity is away');
});
