import { BadRequestException } from '@nestjs/common';
import { DomainError, invalid, type ErrorKind } from '@souk/errors';
import { ProblemError, problemOf } from './problem.js';

const refused = (kind: ErrorKind, reason: string) =>
  problemOf(new DomainError({ kind, reason, message: 'No.' }), 'req-1');

it.each([
  ['invalid', 400],
  ['unauthenticated', 401],
  ['forbidden', 403],
  ['not_found', 404],
  ['conflict', 409],
  ['refused', 409],
  ['mismatch', 412],
  ['exhausted', 429],
  ['unavailable', 503],
] as const)('answers an error of the kind %s with %i', (kind, status) => {
  expect(refused(kind, 'SOME_REASON').status).toBe(status);
});

it.each([
  ['unavailable', 'DEADLINE_EXCEEDED', 504],
  ['refused', 'PAYMENT_DECLINED', 402],
  ['invalid', 'IMPORT_TOO_LARGE', 413],
  ['invalid', 'BODY_TOO_SLOW', 408],
  ['conflict', 'REQUEST_ID_REUSED', 422],
  ['unavailable', 'REQUEST_IN_PROGRESS', 409],
  ['invalid', 'WRONG_CREDENTIALS', 401],
  ['refused', 'VERSION_MISMATCH', 412],
] as const)('has a better word than the kind %s for %s', (kind, reason, status) => {
  expect(refused(kind, reason).status).toBe(status);
});

it('makes type and title of the reason', () => {
  expect(refused('refused', 'SKU_NOT_FOR_SALE')).toEqual({
    type: 'https://souk.dev/problems/sku-not-for-sale',
    title: 'Sku not for sale',
    status: 409,
    detail: 'No.',
    reason: 'SKU_NOT_FOR_SALE',
    requestId: 'req-1',
  });
});

it('names wrong fields as REST does', () => {
  const problem = problemOf(invalid([{ field: 'lines[0].unit_price', description: 'is negative' }]), 'req-1');
  expect(problem.errors).toEqual([{ field: 'lines[0].unitPrice', message: 'is negative' }]);
});

it('carries facts, which can not pass for the problem itself', () => {
  const init = { kind: 'refused', reason: 'X', message: 'No.', metadata: { sku: 'A', status: '200' } } as const;
  expect(problemOf(new ProblemError(init, { orderId: '1', reason: 'Y' }), 'req-1')).toMatchObject({
    sku: 'A',
    orderId: '1',
    status: 409,
    reason: 'X',
  });
});

it('says nothing about a bug', () => {
  const problem = problemOf(new Error('connect ECONNREFUSED 10.0.0.1'), 'req-1');
  expect(problem).toMatchObject({ status: 500, reason: 'INTERNAL' });
  expect(JSON.stringify(problem)).not.toContain('10.0.0.1');
});

it('tells malformed JSON from other malformed requests', () => {
  expect(problemOf(new BadRequestException('x', { cause: new SyntaxError('x') }), 'r').reason).toBe('JSON_MALFORMED');
  expect(problemOf(new BadRequestException('x'), 'r').reason).toBe('REQUEST_MALFORMED');
});
