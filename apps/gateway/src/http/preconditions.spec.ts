import type { FastifyReply, FastifyRequest } from 'fastify';
import { etagOf, expectedVersion, unchanged } from './preconditions.js';

const sending = (headers: Record<string, string>) => ({ headers }) as unknown as FastifyRequest;

it.each([
  [undefined, 0],
  ['*', 0],
  ['"7"', 7],
  ['"7-aB_c-1"', 7],
  ['W/"7-aBc"', 7],
])('takes If-Match %s for version %i', (given, version) => {
  expect(expectedVersion(sending(given === undefined ? {} : { 'if-match': given }))).toBe(version);
});

it('takes a tag that it never gave for a version that has passed', () => {
  expect(() => expectedVersion(sending({ 'if-match': '"abc"' }))).toThrow(
    expect.objectContaining({ reason: 'VERSION_MISMATCH' }) as Error,
  );
});

it('tells two representations of one version apart', () => {
  expect(etagOf(7, '1,2')).not.toBe(etagOf(7, '1,3'));
  expect(etagOf(7, '1,2')).toBe(etagOf(7, '1,2'));
});

it('knows a tag among several, weak ones included', () => {
  const reply = { header: () => reply, status: () => reply } as unknown as FastifyReply;
  expect(unchanged(sending({ 'if-none-match': '"6", W/"7"' }), reply, '"7"')).toBe(true);
  expect(unchanged(sending({ 'if-none-match': '"6"' }), reply, '"7"')).toBe(false);
  expect(unchanged(sending({}), reply, '"7"')).toBe(false);
});
