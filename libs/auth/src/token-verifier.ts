/**
 * Verifies access tokens: signature by one of identity's published keys, issuer, audience and expiry, each with a minute's
 * tolerance for clocks that differ. Only EdDSA is accepted and keys are found by `kid` among those that identity published:
 * what a token says of its own algorithm or key decides nothing. Keys are fetched when a token names an unknown one, at
 * most every few seconds, so that a rotated key is picked up without a restart and a flood of bad tokens does not become a
 * flood of fetches; and again after five minutes, so that a key that was withdrawn is forgotten. Where identity is out of
 * reach the keys that are known go on being used. A verified token is remembered for as long, in bounded memory; a token
 * that was issued cannot be called back before it expires.
 */
import { DomainError } from '@souk/errors';
import { metrics } from '@souk/telemetry';
import { importJWK, jwtVerify, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { ENROLMENT_AUDIENCE, toPrincipal, type Bearer } from './token-claims.js';

export const TOKEN_ISSUER = 'souk';
export const TOKEN_AUDIENCE = 'souk';
export const TOKEN_ALGORITHM = 'EdDSA';

const REFETCH_AFTER_MS = 5_000;
const FRESH_FOR_MS = 5 * 60_000;
const CLOCK_TOLERANCE_S = 60;
const REMEMBERED_TOKENS = 10_000;

/** Fetches the public keys that tokens may be signed with, as JSON Web Keys with `kid`. */
export type KeySource = () => Promise<readonly JWK[]>;

const lookedAt = metrics.counter('auth_tokens_total');

interface Verified {
  readonly principal: Bearer;
  readonly until: number;
}

export class TokenVerifier {
  private readonly verified = new LRUCache<string, Verified>({ max: REMEMBERED_TOKENS });
  private keys = new Map<string, CryptoKey | Uint8Array>();
  private fetchedAt = 0;
  private triedAt = 0;
  private fetching: Promise<void> | undefined;

  constructor(private readonly source: KeySource) {}

  /** @throws DomainError TOKEN_INVALID, or what the key source throws when it can't be reached */
  async verify(token: string): Promise<Bearer> {
    const known = this.verified.get(token);
    if (known && known.until > Date.now()) {
      lookedAt.inc({ outcome: 'remembered' });
      return known.principal;
    }
    const payload = await this.verifySignature(token).catch((error: unknown) => {
      lookedAt.inc({ outcome: 'refused' });
      throw error;
    });
    lookedAt.inc({ outcome: 'verified' });
    const principal = toPrincipal(payload);
    const until = Math.min((payload.exp ?? 0) * 1000, Date.now() + FRESH_FOR_MS);
    this.verified.set(token, { principal, until });
    return principal;
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
          audience: [TOKEN_AUDIENCE, ENROLMENT_AUDIENCE],
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
    const key = this.keys.get(keyId);
    if (!key) await this.refetch(this.fetchedAt);
    else if (Date.now() - this.fetchedAt > FRESH_FOR_MS) this.refetch(this.triedAt)?.catch(keepKnownKeys);
    const found = key ?? this.keys.get(keyId);
    if (!found) throw invalidToken();
    return found;
  }

  /** The fetch that is under way, or a new one where the last one is long enough ago. */
  private refetch(lastAt: number): Promise<void> | undefined {
    if (Date.now() - lastAt > REFETCH_AFTER_MS) {
      this.triedAt = Date.now();
      this.fetching ??= this.fetchKeys().finally(() => (this.fetching = undefined));
    }
    return this.fetching;
  }

  private async fetchKeys(): Promise<void> {
    const jwks = await this.source();
    const imported = jwks.map(async (jwk) => [jwk.kid ?? '', await importJWK(jwk, TOKEN_ALGORITHM)] as const);
    this.keys = new Map(await Promise.all(imported));
    this.fetchedAt = Date.now();
  }
}

function keepKnownKeys(): void {
  // Tried again with the next token: better yesterday's keys than nobody let in.
}

function invalidToken(cause?: unknown): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'TOKEN_INVALID',
    message: 'The access token is not valid or has expired. Log in again.',
    cause,
  });
}
