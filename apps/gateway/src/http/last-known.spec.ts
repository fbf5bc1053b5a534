import { DomainError } from '@souk/errors';
import { LastKnown } from './last-known.js';

const MINUTE = 60_000;

let now = 0;
let known: LastKnown<string>;

beforeEach(() => {
  now = 0;
  known = new LastKnown(() => now);
});

function failing(kind: 'unavailable' | 'not_found') {
  return () => Promise.reject(new DomainError({ kind, reason: 'GONE', message: 'Gone.' }));
}

it('gives the last answer while the service is away, and says how old it is', async () => {
  expect(await known.read('lamp', async () => 'a lamp')).toEqual({ answer: 'a lamp' });
  now = 3 * MINUTE;
  expect(await known.read('lamp', failing('unavailable'))).toEqual({ answer: 'a lamp', ageSeconds: 180 });
  await expect(known.read('chair', failing('unavailable'))).rejects.toMatchObject({ reason: 'GONE' });
});

it('gives none that is older than ten minutes, nor where the service has answered', async () => {
  await known.read('lamp', async () => 'a lamp');
  await expect(known.read('lamp', failing('not_found'))).rejects.toMatchObject({ reason: 'GONE' });
  now = 11 * MINUTE;
  await expect(known.read('lamp', failing('unavailable'))).rejects.toMatchObject({ reason: 'GONE' });
});

it('keeps 500 answers, those that were asked for last', async () => {
  for (let count = 0; count < 501; count++) await known.read(String(count), async () => 'one');
  await expect(known.read('0', failing('unavailable'))).rejects.toMatchObject({ reason: 'GONE' });
  expect(await known.read('1', failing('unavailable'))).toMatchObject({ answer: 'one' });
});
