/**
 * The key by which a client makes sure that a write happens once, however often it is sent: one rule for every route that
 * takes one, and its documentation. The service that does the write remembers the key, here it is only read and passed on.
 */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { DomainError, invalid } from '@souk/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fails } from './api-docs.js';

const HEADER = 'idempotency-key';
const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/** Documents the header with which a route marks an answer that it gave before. */
export const REPLAYED = { 'Idempotency-Replayed': '`true` where the key had been used before.' };

/** The key that the route can't do without. */
export const RequiredKey = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => requiredKey(requestOf(context)),
  [documented({ required: true })],
);

/** The key, or an empty text where the client sent none. */
export const OptionalKey = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => keyOf(requestOf(context)),
  [documented({ required: false })],
);

/** Says in the answer whether it was given before. */
export function markReplayed(reply: FastifyReply, replayed: boolean): void {
  if (replayed) void reply.header('idempotency-replayed', 'true');
}

export function requiredKey(request: FastifyRequest): string {
  const key = keyOf(request);
  if (key !== '') return key;
  throw new DomainError({
    kind: 'invalid',
    reason: 'IDEMPOTENCY_KEY_MISSING',
    message: 'Send an Idempotency-Key header: what is sent again under the same key is done once.',
  });
}

export function keyOf(request: FastifyRequest): string {
  const key = request.headers[HEADER];
  if (typeof key !== 'string' || key === '') return '';
  if (PRINTABLE.test(key)) return key;
  throw invalid([{ field: 'Idempotency-Key', description: 'has 1 to 255 printable characters' }]);
}

function requestOf(context: ExecutionContext): FastifyRequest {
  return context.switchToHttp().getRequest<FastifyRequest>();
}

function documented({ required }: { required: boolean }): ParameterDecorator {
  return (target, name) => {
    const method = name === undefined ? undefined : Object.getOwnPropertyDescriptor(target, name);
    if (name === undefined || !method) return;
    const description =
      'Sent again under the same key, the request is carried out once; 1 to 255 printable characters.';
    ApiHeader({ name: 'Idempotency-Key', required, description })(target, name, method);
    Fails({ 409: ['REQUEST_IN_PROGRESS'], 422: ['REQUEST_ID_REUSED'] })(target, name, method);
    if (required) Fails({ 400: ['IDEMPOTENCY_KEY_MISSING', 'INVALID_ARGUMENT'] })(target, name, method);
  };
}
