/** Which limits there are, whom each is for, and whether a request keeps within those that are for it. */
import { sourceOf, type Principal } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { metrics } from '@souk/telemetry';
import type { GatewayConfig } from '../config.js';
import type { SharedUsage } from './shared-usage.js';
import { WINDOW_MS, type Verdict } from './usage.js';

/** A limit as it is for one client. */
export interface Limit {
  readonly name: 'address' | 'auth' | 'account' | 'client';
  /** Whom it is for. */
  readonly key: string;
  /** Requests in a minute. */
  readonly quota: number;
}

/** How a client stands to a limit, after the request. */
export interface Standing extends Limit {
  readonly remaining: number;
  /** Until the quota is whole again, or, for who is refused, until one more is let in. */
  readonly seconds: number;
}

const GUESSED = /^\/v1\/(auth|oauth)\//;

const refusals = metrics.counter('souk_rate_limited_total');

export class RateLimits {
  constructor(
    private readonly config: GatewayConfig,
    private readonly usage: Pick<SharedUsage, 'ask' | 'count'>,
  ) {}

  /** What is for an address: all of its requests, and apart those to where passwords and secrets are guessed. */
  ofAddress(ip: string, route: string): Limit[] {
    const source = sourceOf(ip);
    const address = { name: 'address', key: `address ${source}`, quota: this.config.rateLimit } as const;
    if (!GUESSED.test(route)) return [address];
    return [address, { name: 'auth', key: `auth ${source}`, quota: this.config.authRateLimit }];
  }

  /** What is for a person or a program, wherever its requests come from. */
  ofPrincipal(principal: Principal): Limit[] {
    if (principal.kind === 'guest') return [];
    if (principal.kind === 'client') {
      const quota = this.config.clientRateLimits.get(principal.clientId) ?? this.config.clientRateLimit;
      return [{ name: 'client', key: `client ${principal.clientId}`, quota }];
    }
    return [{ name: 'account', key: `account ${principal.userId}`, quota: this.config.accountRateLimit }];
  }

  /** Counts a request against all of the limits, or against none where one of them refuses it. */
  take(limits: readonly Limit[]): { standings: Standing[]; refused: Standing | undefined } {
    const judged = limits.map((limit) => ({ limit, verdict: this.usage.ask(limit.key, limit.quota) }));
    const admitted = judged.every(({ verdict }) => verdict.admitted);
    const standings = judged.map(({ limit, verdict }) => standing(limit, verdict, admitted));
    const refusing = standings.filter((_, index) => !judged[index]?.verdict.admitted);
    if (admitted) limits.forEach(({ key, quota }) => this.usage.count(key, quota));
    const refused = refusing.sort((a, b) => b.seconds - a.seconds)[0];
    if (refused) refusals.inc({ limit: refused.name });
    return { standings, refused };
  }
}

const WHOSE: Readonly<Record<Limit['name'], string>> = {
  address: 'this address',
  auth: 'this address, where people log in',
  account: 'this account',
  client: 'this client',
};

export function tooMany({ name, seconds }: Standing): DomainError {
  return new DomainError({
    kind: 'exhausted',
    reason: 'RATE_LIMITED',
    message: `Too many requests from ${WHOSE[name]}; try again in ${seconds} seconds.`,
    metadata: { limit: name, retry_after: String(seconds) },
  });
}

function standing(limit: Limit, { remaining, waitMs }: Verdict, counted: boolean): Standing {
  const ms = waitMs > 0 ? waitMs : WINDOW_MS - (Date.now() % WINDOW_MS);
  return { ...limit, remaining: counted ? Math.max(0, remaining - 1) : remaining, seconds: Math.ceil(ms / 1000) };
}
