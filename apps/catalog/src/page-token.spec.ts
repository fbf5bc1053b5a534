import { DomainError } from '@souk/errors';
import { decodePageToken, encodePageToken } from './page-token.js';

const id = '0199b1a2-6c1e-7d3a-9f42-5a0c7be1d210';
const lamps = { query: 'lamps', category: '' };
const all = { query: '', category: 'lamps' };

test('reads back what it wrote', () => {
  expect(decodePageToken(encodePageToken({ id }, all), all)).toEqual({ id });
  const ranked = { id, rank: '0.06079271' };
  expect(decodePageToken(encodePageToken(ranked, lamps), lamps)).toEqual(ranked);
});

test.each([
  '',
  'x',
  'bnVsbA',
  Buffer.from('["x","y"]').toString('base64url'),
  Buffer.from(JSON.stringify([id, {}, { a: 1 }])).toString('base64url'),
  encodePageToken({ id }, { query: '', category: 'rugs' }),
  encodePageToken({ id, rank: "1'; DROP" }, lamps),
])('refuses %j', (token) => {
  for (const filter of [all, lamps]) {
    expect(violatedFields(() => decodePageToken(token, filter))).toEqual(['page_token']);
  }
});

function violatedFields(call: () => unknown): string[] {
  try {
    call();
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error.violations.map(({ field }) => field);
  }
}
