/**
 * Limits how many requests are taken from an address, before anything else is done for them, and from an account or a client, once its
 * token is verified. Every answer says how its client stands: `RateLimit` and `RateLimit-Policy` for each of its limits, as in
 * draft-ietf-httpapi-ratelimit-headers-10, and the older `RateLimit-Limit`, `-Remaining` and `-Reset` for the one nearest to its end.
 */
import type { Principal } from '@souk/auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { tooMany, type Limit, type RateLimits, type Standing } from '../rate-limits/rate-limits.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** How the client stands to the limits that were looked at. */
    standings?: readonly Standing[];
  }
}

const WINDOW_S = 60;
const EXEMPT = new Set(['/livez', '/readyz']);

export function addRateLimit(fastify: FastifyInstance, limits: RateLimits): void {
  fastify.decorateRequest('standings', undefined);
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url ?? '';
    const refusal = EXEMPT.has(route) ? undefined : take(limits, limits.ofAddress(request.ip, route), request, reply);
    done(refusal);
  });
}

/** @throws DomainError RATE_LIMITED */
export function limitPrincipal(
  limits: RateLimits,
  principal: Principal,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const refusal = take(limits, limits.ofPrincipal(principal), request, reply);
  if (refusal) throw refusal;
}

function take(limits: RateLimits, those: readonly Limit[], request: FastifyRequest, reply: FastifyReply) {
  if (those.length === 0) return undefined;
  const { standings, refused } = limits.take(those);
  request.standings = [...(request.standings ?? []), ...standings];
  void reply.headers(headersOf(request.standings));
  return refused && tooMany(refused);
}

/** @param standings at least one */
export function headersOf(standings: readonly Standing[]): Record<string, string> {
  const [nearest] = standings.toSorted((a, b) => a.remaining - b.remaining);
  return {
    'ratelimit-policy': standings.map(({ name, quota }) => `"${name}";q=${quota};w=${WINDOW_S}`).join(', '),
    ratelimit: standings.map(({ name, remaining, seconds }) => `"${name}";r=${remaining};t=${seconds}`).join(', '),
    'ratelimit-limit': String(nearest?.quota),
    'ratelimit-remaining': String(nearest?.remaining),
    'ratelimit-reset': String(nearest?.seconds),
  };
}
