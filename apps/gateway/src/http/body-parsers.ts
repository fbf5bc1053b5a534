/**
 * Which bodies are read, and how. JSON of up to 1 MiB that arrives within a time, except where a route takes the bytes as
 * they came, a form or, for product files, the stream itself; an empty body is no body, whatever its content type says. Everything
 * else is refused.
 */
import { DomainError } from '@souk/errors';
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify';
import { parseForm } from './oauth.js';

/** Declares with `@RouteConfig` what a route takes in place of parsed JSON. */
export interface BodyConfig {
  readonly body?: 'bytes' | 'csv' | 'form';
}

export const BODY_LIMIT = 1024 * 1024;
const FORM_LIMIT = 16 * 1024;

const TYPE_OF = { csv: 'text/csv', form: 'application/x-www-form-urlencoded' } as const;

export function addBodyParsers(fastify: FastifyInstance, timeoutMs: number): void {
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    if (hasBody(request) && wantedBody(request) !== 'csv') endAfter(timeoutMs, payload);
    done(null, payload);
  });
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (request, body, done) => {
      const wanted = wantedBody(request);
      if (wanted === 'bytes') done(null, body);
      else if (wanted !== undefined) done(unsupported(TYPE_OF[wanted]));
      else if (body.length === 0) done(null, undefined);
      else void parseJson(request, body.toString(), done);
    },
  );
  fastify.addContentTypeParser<string>(
    TYPE_OF.form,
    { parseAs: 'string', bodyLimit: FORM_LIMIT },
    async (request: FastifyRequest, body: string) => {
      if (wantedBody(request) !== 'form') throw unsupported('application/json');
      return parseForm(body);
    },
  );
  fastify.addContentTypeParser('text/csv', (request, payload, done) => {
    if (wantedBody(request) === 'csv') done(null, payload);
    else done(unsupported('application/json'));
  });
}

/** Fails a body that takes too long; who sends it byte by byte would hold a connection and memory for as long as he likes. */
function endAfter(timeoutMs: number, payload: RequestPayload): void {
  const timer = setTimeout(() => {
    // Nobody listens where reading was given up already, for example because the body is too large.
    if (payload.listenerCount('error') > 0) payload.emit('error', tooSlow());
  }, timeoutMs);
  payload.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function tooSlow(): DomainError {
  return new DomainError({ kind: 'invalid', reason: 'BODY_TOO_SLOW', message: 'The body did not arrive in time.' });
}

export function wantedBody(request: FastifyRequest): BodyConfig['body'] {
  return (request.routeOptions.config as BodyConfig).body;
}

/** The error for a body of a content type that the route does not take. */
export function unsupported(wanted: string): DomainError {
  return new DomainError({
    kind: 'invalid',
    reason: 'UNSUPPORTED_MEDIA_TYPE',
    message: `Send the body as ${wanted}.`,
  });
}
