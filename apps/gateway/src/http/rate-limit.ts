/**
 * How many requests a client address may make per minute, with a smaller number for `/v1/auth` and `/v1/oauth`, where
 * passwords and secrets are guessed. Counted in this process: with several gateways the limits are that many times as high.
 */
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import { DomainError } from '@souk/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.js';

const MINUTE_MS = 60_000;
const EXEMPT = new Set(['/livez', '/readyz', '/metrics']);
const GUESSED = /^\/v1\/(auth|oauth)\//;
const AUTH = 'auth ';

export async function addRateLimit(fastify: FastifyInstance, config: GatewayConfig): Promise<void> {
  await fastify.register(rateLimit, {
    timeWindow: MINUTE_MS,
    max: (_request, key) => (key.startsWith(AUTH) ? config.authRateLimit : config.rateLimit),
    keyGenerator: (request) => (GUESSED.test(routeOf(request)) ? AUTH : '') + normalizeIP(request.ip),
    allowList: (request) => EXEMPT.has(routeOf(request)),
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { after }) => tooMany(after) as never,
  });
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? '';
}

function tooMany(after: string): DomainError {
  return new DomainError({
    kind: 'exhausted',
    reason: 'RATE_LIMITED',
    message: `Too many requests from this address; try again in ${after}.`,
  });
}
