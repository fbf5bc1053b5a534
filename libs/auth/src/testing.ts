/** Signs real tokens with a key of its own, for tests that need callers of every kind. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Role } from './principal.js';
import { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER, type KeySource } from './token-verifier.js';

export interface TestIdentity {
  /** The public key, as a service under test fetches it. */
  readonly keys: KeySource;
  /** An access token as identity would issue it. */
  tokenFor(user: { userId: string; email?: string; roles?: Role[]; expiresIn?: string }): Promise<string>;
}

export async function testIdentity(keyId = 'test-key'): Promise<TestIdentity> {
  const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId };
  return {
    keys: async () => [jwk],
    tokenFor: ({ userId, email = `${userId}@example.com`, roles = ['customer'], expiresIn = '15 minutes' }) =>
      new SignJWT({ email, roles })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
        .setSubject(userId)
        .setIssuer(TOKEN_ISSUER)
        .setAudience(TOKEN_AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(expiresIn)
        .sign(privateKey),
  };
}
