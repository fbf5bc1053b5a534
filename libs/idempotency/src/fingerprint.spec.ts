import { fingerprintOf } from './fingerprint.js';

it('is the same whatever the order of the fields', () => {
  const one = fingerprintOf({ sku: 'A', lines: [{ quantity: 1, price: { amount: '5', currency: 'EUR' } }] });
  const other = fingerprintOf({ lines: [{ price: { currency: 'EUR', amount: '5' }, quantity: 1 }], sku: 'A' });
  expect(one).toBe(other);
});

it('leaves out what is not set', () => {
  expect(fingerprintOf({ sku: 'A', note: undefined })).toBe(fingerprintOf({ sku: 'A' }));
});

it.each<[unknown, unknown]>([
  [{ sku: 'A' }, { sku: 'B' }],
  [{ sku: 'A' }, { key: 'A' }],
  [{ lines: ['a', 'b'] }, { lines: ['b', 'a'] }],
  [{ lines: [] }, {}],
  [{ a: { b: 1 } }, { a: 1, b: 1 }],
  [{ amount: 1n }, { amount: 2n }],
  [{ amount: null }, { amount: 0 }],
  [{ time: new Date(1) }, { time: new Date(2) }],
])('tells %j from %j', (one, other) => {
  expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
});
