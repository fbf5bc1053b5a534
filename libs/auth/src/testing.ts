/** Signs real tokens with a key of its own, for tests that need callers of every kind. */
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import type { Permission, Role } from './permissions.js';
import { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER, type KeySource } from './token-verifier.js';

export interface TestUser {
  readonly userId: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly roles?: readonly (Role | (string & {}))[];
  /** Beside those of built-in roles. */
  readonly permissions?: readonly Permission[];
  readonly sessionId?: string;
  readonly expiresIn?: string;
}

export interface TestIdentity {
  /** The public key, as a service under test fetches it. */
  readonly keys: KeySource;
  /** A person's access token as identity would issue it. */
  tokenFor(user: TestUser): Promise<string>;
  /** A program's access token as identity would issue it. */
  clientToken(client: { clientId: string; permissions: readonly Permission[] }): Promise<string>;
}

export async function testIdentity(keyId = 'test-key'): Promise<TestIdentity> {
  const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId };
  const sign = (subject: string, claims: JWTPayload, expiresIn = '15 minutes') =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
      .setSubject(subject)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(expiresIn)
      .sign(privateKey);
  return {
    keys: async () => [jwk],
    tokenFor: ({ userId, expiresIn, ...user }) => sign(userId, userClaims(userId, user), expiresIn),
    clientToken: ({ clientId, permissions }) => sign(clientId, { client_id: clientId, scope: permissions.join(' ') }),
  };
}

function userClaims(userId: string, user: Omit<TestUser, 'userId'>): JWTPayload {
  const { email = `${userId}@example.com`, emailVerified = true, roles = ['customer'], permissions = [] } = user;
  return {
    email,
    email_verified: emailVerified,
    roles: [...roles],
    ...(permissions.length > 0 && { scope: permissions.join(' ') }),
    ...(user.sessionId && { sid: user.sessionId }),
  };
}
