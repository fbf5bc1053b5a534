/**
 * Verifies access tokens: signature by one of identity's published keys, issuer, audience and expiry. Keys are fetched
 * when a token names one that is not known, at most every few seconds, so that a rotated key is picked up without a
 * restart and a flood of bad tokens does not become a flood of fetches. A verified token is remembered until it
 * expires, in bounded memory; a token that was issued cannot be called back before that.
 */
import { DomainError } from '@souk/errors';
import { importJWK, jwtVerify, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Role, User } from './principal.js';

export const TOKEN_ISSUER = 'souk';
export const TOKEN_AUDIENCE = 'souk';
export const TOKEN_ALGORITHM = 'EdDSA';

const REFETCH_AFTER_MS = 5_000;
const CLOCK_TOLERANCE_S = 30;
const REMEMBERED_TOKENS = 10_000;

/** Fetches the public keys that tokens may be signed with, as JSON Web Keys with `kid`. */
export type KeySource = () => Promise<readonly JWK[]>;

export class TokenVerifier {
  private readonly verified = new LRUCache<string, { user: User; expiresAt: number }>({ max: REMEMBERED_TOKENS });
  private keys = new Map<string, CryptoKey | Uint8Array>();
  private fetchedAt = 0;
  private fetching: Promise<void> | undefined;

  constructor(private readonly source: KeySource) {}

  /** @throws DomainError TOKEN_INVALID, or what the key source throws when it can't be reached */
  async verify(token: string): Promise<User> {
    const known = this.verified.get(token);
    if (known && known.expiresAt > Date.now()) return known.user;
    const payload = await this.verifySignature(token);
    const user = toUser(payload);
    this.verified.set(token, { user, expiresAt: (payload.exp ?? 0) * 1000 });
    return user;
  }

  private async verifySignature(token: string): Promise<JWTPayload> {
    let unreachable: Error | undefined;
    try {
      const { payload } = await jwtVerify(
        token,
        async (header) => {
          try {
            return await this.keyFor(header.kid ?? '');
          } catch (error) {
            unreachable = error as Error;
            throw error;
          }
        },
        {
          issuer: TOKEN_ISSUER,
          audience: TOKEN_AUDIENCE,
          algorithms: [TOKEN_ALGORITHM],
          clockTolerance: CLOCK_TOLERANCE_S,
          requiredClaims: ['sub', 'exp'],
        },
      );
      return payload;
    } catch (error) {
      if (unreachable) throw unreachable;
      throw invalidToken(error);
    }
  }

  private async keyFor(keyId: string): Promise<CryptoKey | Uint8Array> {
    if (!this.keys.has(keyId) && Date.now() - this.fetchedAt > REFETCH_AFTER_MS) {
      this.fetching ??= this.fetchKeys().finally(() => (this.fetching = undefined));
    }
    await this.fetching;
    const key = this.keys.get(keyId);
    if (!key) throw invalidToken();
    return key;
  }

  private async fetchKeys(): Promise<void> {
    const jwks = await this.source();
    const imported = jwks.map(async (jwk) => [jwk.kid ?? '', await importJWK(jwk, TOKEN_ALGORITHM)] as const);
    this.keys = new Map(await Promise.all(imported));
    this.fetchedAt = Date.now();
  }
}

function toUser(payload: JWTPayload): User {
  const { sub, email, roles } = payload;
  return {
    kind: 'user',
    userId: String(sub),
    email: typeof email === 'string' ? email : '',
    roles: Array.isArray(roles) ? (roles as Role[]) : [],
  };
}

function invalidToken(cause?: unknown): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'TOKEN_INVALID',
    message: 'The access token is not valid or has expired. Log in again.',
    cause,
  });
}
