/** Signs real tokens with a key of its own, for tests that need callers of every kind; and bad ones of every kind. */
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import type { Permission, Role } from './permissions.js';
import { ENROLMENT_AUDIENCE } from './token-claims.js';
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
  /** The access token of somebody who must set up a second factor first. */
  enrollingToken(user: { userId: string; sessionId: string }): Promise<string>;
  /** A program's access token as identity would issue it. */
  clientToken(client: { clientId: string; permissions: readonly Permission[] }): Promise<string>;
  /** Tokens of an administrator that nobody may believe, each by what is wrong with it. */
  badTokens(): Promise<Record<string, string>>;
}

export async function testIdentity(keyId = 'test-key'): Promise<TestIdentity> {
  const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId };
  const sign = (subject: string, claims: JWTPayload, expiresIn = '15 minutes', audience = TOKEN_AUDIENCE) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
      .setSubject(subject)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expiresIn)
      .sign(privateKey);
  const badTokens = async () => {
    const claims = { sub: 'u1', iss: TOKEN_ISSUER, aud: TOKEN_AUDIENCE, exp: now() + 900, roles: ['admin'] };
    const signed = (changes: JWTPayload) =>
      new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId }).sign(privateKey);
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
    return {
      'has expired': await signed({ exp: now() - 120 }),
      'never expires': await signed({ exp: undefined }),
      'is for another audience': await signed({ aud: 'elsewhere' }),
      'is by another issuer': await signed({ iss: 'elsewhere' }),
      'is about nobody': await signed({ sub: undefined }),
      'is cut off': (await signed({})).slice(0, -10),
      ...(await forgedTokens(claims, keyId, [pem, String(jwk.x), JSON.stringify(jwk)])),
    };
  };
  return {
    badTokens,
    keys: async () => [jwk],
    tokenFor: ({ userId, expiresIn, ...user }) => sign(userId, userClaims(userId, user), expiresIn),
    enrollingToken: ({ userId, sessionId }) => sign(userId, { sid: sessionId }, undefined, ENROLMENT_AUDIENCE),
    clientToken: ({ clientId, permissions }) => sign(clientId, { client_id: clientId, scope: permissions.join(' ') }),
  };
}

/**
 * Tokens by somebody who knows the public key alone.
 * @param secrets what they might take for the secret of an HMAC
 */
export async function forgedTokens(
  claims: JWTPayload,
  keyId: string,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const forged = (header: object) =>
    new SignJWT(claims).setProtectedHeader({ alg: TOKEN_ALGORITHM, ...header }).sign(privateKey);
  const encoded = (header: object) => [header, claims].map((part) => base64url(JSON.stringify(part))).join('.');
  const hmacs = secrets.map((secret, at) => {
    const input = encoded({ alg: 'HS256', kid: keyId });
    return [
      `is signed with the public key (${at})`,
      `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`,
    ];
  });
  return {
    'is forged, or of another environment': await forged({ kid: keyId }),
    'names an unknown key': await forged({ kid: 'unknown' }),
    'names no key': await forged({}),
    'names a path for a key': await forged({ kid: '../../../dev/null' }),
    'names a statement for a key': await forged({ kid: "x' OR '1'='1" }),
    'names a property for a key': await forged({ kid: '__proto__' }),
    'is not signed': `${encoded({ alg: 'none', kid: keyId })}.AA`,
    ...(Object.fromEntries(hmacs) as Record<string, string>),
  };
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
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
