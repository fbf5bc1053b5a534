/** Headers that every answer has, errors and preflights included, and who may call from a web page. */
import type { Socket } from 'node:net';
import { DomainError } from '@souk/errors';
import { newRequestId } from '@souk/telemetry';
import type { FastifyRequest } from 'fastify';
import { problemOf } from './problem.js';

const HEADERS = {
  // Unless a route says better: most answers are for one person.
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

// Not for subdomains, which may be somebody else's.
const HSTS = { 'strict-transport-security': 'max-age=31536000' };

// Swagger UI: its own scripts and styles, the styles in its page, and pictures that it holds as data.
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'";

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const SENT_HEADERS = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'Traceparent',
  'X-Request-Id',
];
const EXPOSED_HEADERS = [
  ...['ETag', 'Location', 'Retry-After', 'Idempotency-Replayed', 'X-Request-Id'],
  ...['RateLimit', 'RateLimit-Policy', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
];
const PREFLIGHT_SECONDS = 600;

/** Whether a request came by TLS, a trusted proxy says where there is one. */
export function securityHeaders({ url, protocol }: Pick<FastifyRequest, 'url' | 'protocol'>): Record<string, string> {
  return {
    ...HEADERS,
    ...(url.startsWith('/docs') && { 'content-security-policy': DOCS_POLICY }),
    ...(protocol === 'https' && HSTS),
  };
}

/** What scripts of these origins may do: all that the API offers. No cookies are used, so none are let in. */
export function corsOptions(origins: string[]) {
  return {
    origin: origins,
    methods: METHODS,
    allowedHeaders: SENT_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    credentials: false,
    // Else what is no preflight is answered in plain text.
    strictPreflight: false,
  };
}

/** Answers what is no HTTP at all, or more of it than a server reads, and hangs up. */
export function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const statusCode = STATUS_OF_CODE[error.code ?? ''] ?? 400;
  hangUp(socket, Object.assign(new Error(error.message), { statusCode }));
}

/** Answers a connection that is one too many, whatever it was going to ask, and hangs up. */
export function refuseConnection(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  const message = 'Too many connections are open from this address.';
  hangUp(socket, new DomainError({ kind: 'unavailable', reason: 'TOO_MANY_CONNECTIONS', message }));
}

function hangUp(socket: Socket, error: Error): void {
  const requestId = newRequestId();
  const problem = problemOf(error, requestId);
  const body = JSON.stringify(problem);
  const headers = {
    ...HEADERS,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    'x-request-id': requestId,
    ...(problem.status === 503 && { 'retry-after': 1 }),
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${head.join('')}\r\n${body}`);
  // Who does not even take this keeps nothing open.
  socket.destroySoon();
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };
