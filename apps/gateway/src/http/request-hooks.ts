/**
 * What happens around every request, as Fastify hooks, which cost less than Nest's interceptors: its call context, the
 * headers that every answer has, and its timing. Everything that is awaited for a request sees its context.
 */
import {
  childTraceparent,
  metrics,
  newRequestId,
  runInContext,
  startSpan,
  type CallContext,
  type Logger,
  type StartedSpan,
} from '@souk/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { securityHeaders } from './security-headers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent only where the request's address could not even be parsed. */
    callContext?: CallContext;
    /** Absent where nobody looks at the request. */
    span?: StartedSpan | undefined;
  }
}

/** Longest that all calls for one request may take together. */
const DEADLINE_MS = 15_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const durations = metrics.histogram('souk_http_request_duration_seconds');

export function addRequestHooks(fastify: FastifyInstance, logger: Logger): void {
  fastify.decorateRequest('callContext', undefined);
  fastify.decorateRequest('span', undefined);
  fastify.addHook('onRequest', (request, reply, done) => {
    const span = (request.span = spanOf(request));
    const context = { ...contextOf(request.headers, span), source: request.ip };
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
    const route = routeOf(request);
    const seconds = reply.elapsedTime / 1000;
    durations.observe({ method: request.method, route, status: reply.statusCode }, seconds);
    request.span?.set({ 'http.response.status_code': reply.statusCode });
    request.span?.end(reply.statusCode >= 500 ? String(reply.statusCode) : undefined);
    logger.debug({ method: request.method, route, status: reply.statusCode, seconds }, 'request answered');
    done();
  });
}

/** By its route, never by its address, which may hold a token. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none';
}

function spanOf(request: FastifyRequest): StartedSpan | undefined {
  const { method, headers } = request;
  const { traceparent: parent } = headers;
  const route = routeOf(request);
  return startSpan({
    name: `${method} ${route}`,
    kind: 'server',
    parent: typeof parent === 'string' ? parent : undefined,
    attributes: { 'http.request.method': method, 'http.route': route },
  });
}

function contextOf(headers: FastifyRequest['headers'], span?: StartedSpan): CallContext {
  const { 'x-request-id': requestId, traceparent } = headers;
  return {
    requestId: typeof requestId === 'string' && REQUEST_ID.test(requestId) ? requestId : newRequestId(),
    traceparent: span?.traceparent ?? childTraceparent(typeof traceparent === 'string' ? traceparent : undefined),
    deadline: new Date(Date.now() + DEADLINE_MS),
  };
}
