import { status, type ServiceError } from '@grpc/grpc-js';
import { DomainError, invalid, type ErrorKind } from '@souk/errors';
import { fromServiceError, toStatus } from './errors.js';

const overTheWire = (error: unknown) => {
  const sent = toStatus(error, 'orders');
  return fromServiceError(Object.assign(new Error(sent.details), sent), 'orders');
};

it.each<[ErrorKind, status]>([
  ['invalid', status.INVALID_ARGUMENT],
  ['unauthenticated', status.UNAUTHENTICATED],
  ['forbidden', status.PERMISSION_DENIED],
  ['not_found', status.NOT_FOUND],
  ['conflict', status.ALREADY_EXISTS],
  ['refused', status.FAILED_PRECONDITION],
  ['mismatch', status.ABORTED],
  ['exhausted', status.RESOURCE_EXHAUSTED],
  ['unavailable', status.UNAVAILABLE],
])('carries an error of kind %s over the wire and back', (kind, code) => {
  const error = new DomainError({ kind, reason: 'SOME_REASON', message: 'Something.', metadata: { sku: 'A' } });
  expect(toStatus(error, 'orders').code).toBe(code);
  expect(overTheWire(error)).toMatchObject({
    name: 'DomainError',
    kind,
    reason: 'SOME_REASON',
    message: 'Something.',
    metadata: { sku: 'A' },
  });
});

it('carries every wrong field', () => {
  const violations = [
    { field: 'email', description: 'is missing' },
    { field: 'lines[0].quantity', description: 'must be from 1 to 10000' },
  ];
  expect(overTheWire(invalid(violations))).toMatchObject({ kind: 'invalid', violations });
});

it('does not tell a caller what a bug says', () => {
  const sent = toStatus(new Error('password=secret'), 'orders');
  expect(sent).toMatchObject({ code: status.INTERNAL, details: 'Internal error.' });
  expect(overTheWire(new Error('password=secret'))).not.toHaveProperty('reason');
});

it('takes a late answer and a service that is away for unavailable', () => {
  const failure = (code: status) => fromServiceError(Object.assign(new Error(), { code }) as ServiceError, 'orders');
  expect(failure(status.DEADLINE_EXCEEDED)).toMatchObject({ kind: 'unavailable', reason: 'DEADLINE_EXCEEDED' });
  expect(failure(status.UNAVAILABLE)).toMatchObject({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE' });
});
