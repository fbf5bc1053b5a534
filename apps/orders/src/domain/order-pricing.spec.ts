import fc from 'fast-check';
import { priceLines, sumBySku, totalOf, type Offer } from './order-pricing.js';

const offers = new Map<string, Offer>([
  ['A', { sku: 'A', title: 'Apple', price: { amount: 199n, currency: 'USD' } }],
  ['B', { sku: 'B', title: 'Bread', price: { amount: 350n, currency: 'USD' } }],
]);

it('puts lines of one SKU together', () => {
  const lines = priceLines(
    [
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 2 },
      { sku: 'A', quantity: 3 },
    ],
    offers,
  );
  expect(lines.map(({ sku, quantity, total }) => [sku, quantity, total.amount])).toEqual([
    ['A', 4, 796n],
    ['B', 2, 700n],
  ]);
  expect(totalOf(lines)).toEqual({ amount: 1_496n, currency: 'USD' });
});

it('names every SKU that is not for sale', () => {
  const quantities = ['X', 'A', 'Y'].map((sku) => ({ sku, quantity: 1 }));
  expect(() => priceLines(quantities, offers)).toThrow(
    expect.objectContaining({ reason: 'SKU_NOT_FOR_SALE', metadata: { skus: 'X,Y' } }),
  );
});

it('refuses to sell nothing', () => {
  expect(() => priceLines([], offers)).toThrow(expect.objectContaining({ reason: 'CART_EMPTY' }));
});

it('keeps the number of units of each SKU, whatever the order of the lines', () => {
  const quantity = fc.record({ sku: fc.constantFrom('A', 'B', 'C'), quantity: fc.integer({ min: 1, max: 100 }) });
  fc.assert(
    fc.property(fc.array(quantity), (quantities) => {
      for (const { sku, quantity: summed } of sumBySku(quantities)) {
        const units = quantities.filter((q) => q.sku === sku).reduce((sum, q) => sum + q.quantity, 0);
        expect(summed).toBe(units);
      }
    }),
  );
});
