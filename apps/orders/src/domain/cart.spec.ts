import { MAX_LINES, newCart, priceCart, setLine } from './cart.js';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const LATER = new Date('2026-03-01T10:05:00.000Z');
const cart = newCart('0195a1b2-0000-7000-8000-000000000002', undefined, NOW);

it('adds, changes and takes out lines', () => {
  const two = setLine(setLine(cart, 'A', 1, LATER), 'B', 2, LATER);
  expect(two.lines).toEqual([
    { sku: 'A', quantity: 1 },
    { sku: 'B', quantity: 2 },
  ]);
  expect(setLine(two, 'A', 5, LATER).lines[0]).toEqual({ sku: 'A', quantity: 5 });
  expect(setLine(two, 'A', 0, LATER)).toMatchObject({
    lines: [{ sku: 'B', quantity: 2 }],
    version: 4,
    updateTime: LATER,
  });
});

it('keeps its version where nothing changes', () => {
  expect(setLine(cart, 'A', 0, LATER)).toBe(cart);
});

it('is full at some point', () => {
  const full = Array.from({ length: MAX_LINES }, (_, n) => `SKU-${n}`).reduce(
    (c, sku) => setLine(c, sku, 1, NOW),
    cart,
  );
  expect(() => setLine(full, 'ONE-MORE', 1, NOW)).toThrow(expect.objectContaining({ reason: 'CART_FULL' }));
  expect(setLine(full, 'SKU-0', 2, NOW).lines).toHaveLength(MAX_LINES);
});

it('names what is no longer for sale and does not charge for it', () => {
  const offers = new Map([['A', { sku: 'A', title: 'Apple', price: { amount: 199n, currency: 'USD' } }]]);
  const priced = priceCart(setLine(setLine(cart, 'A', 2, NOW), 'GONE', 1, NOW), offers);
  expect(priced).toMatchObject({ total: { amount: 398n, currency: 'USD' }, unavailableSkus: ['GONE'] });
  expect(priced.pricedLines).toHaveLength(1);
});
