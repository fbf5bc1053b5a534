/** The key by which a client makes sure that a write happens once, however often it is sent. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { DomainError, invalid } from '@souk/errors';
import type { FastifyRequest } from 'fastify';

const HEADER = 'idempotency-key';
const PRINTABLE = /^[\x20-\x7e]{1,255}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The key that the route can't do without. */
export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  requiredKey(context.switchToHttp().getRequest<FastifyRequest>()),
);

export function requiredKey(request: FastifyRequest): string {
  const key = keyOf(request);
  if (!key) {
    throw new DomainError({
      kind: 'invalid',
      reason: 'IDEMPOTENCY_KEY_MISSING',
      message: 'Send an Idempotency-Key header: the same key places the order once, however often it is sent.',
    });
  }
  if (!PRINTABLE.test(key))
    throw invalid([{ field: 'Idempotency-Key', description: 'has 1 to 255 printable characters' }]);
  return key;
}

/** A UUID, where the client sent a key. */
export function optionalKey(request: FastifyRequest): string | undefined {
  const key = keyOf(request);
  if (!key) return undefined;
  if (!UUID.test(key)) throw invalid([{ field: 'Idempotency-Key', description: 'is not a UUID' }]);
  return key;
}

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers[HEADER];
  return typeof key === 'string' ? key : undefined;
}
