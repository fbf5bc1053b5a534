/**
 * What happens around every request, as Fastify hooks, which cost less than Nest's interceptors: its call context, the
 * headers that every answer has, and its timing. Everything that is awaited for a request sees its context.
 */
import { childTraceparent, metrics, newRequestId, runInContext, type CallContext, type Logger } from '@souk/telemetry';
import type { FastifyInstance } from 'fastify';
import { securityHeaders } from './security-headers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent only where the request's address could not even be parsed. */
    callContext?: CallContext;
  }
}

/** Longest that all calls for one request may take together. */
const DEADLINE_MS = 15_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const durations = metrics.histogram(
  'souk_http_request_duration_seconds',
  'How long requests took, by method, route and status.',
  ['method', 'route', 'status'],
);

export function addRequestHooks(fastify: FastifyInstance, logger: Logger): void {
  fastify.decorateRequest('callContext', undefined);
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = contextOf(request.headers);
    request.callContext = context;
    void reply.headers(securityHeaders(request)).header('x-request-id', context.requestId);
    runInContext(context, done);
  });
  // Preflights are answered by a hook of Nest's own, before the one above.
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    if (!request.callContext) void reply.headers(securityHeaders(request)).header('x-request-id', newRequestId());
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const seconds = reply.elapsedTime / 1000;
    durations.observe({ method: request.method, route, status: reply.statusCode }, seconds);
    logger.debug({ method: request.method, route, status: reply.statusCode, seconds }, 'request answered');
    done();
  });
}

function contextOf(headers: Record<string, string | string[] | undefined>): CallContext {
  const { 'x-request-id': requestId, traceparent } = headers;
  return {
    requestId: typeof requestId === 'string' && REQUEST_ID.test(requestId) ? requestId : newRequestId(),
    traceparent: childTraceparent(typeof traceparent === 'string' ? traceparent : undefined),
    deadline: new Date(Date.now() + DEADLINE_MS),
  };
}
