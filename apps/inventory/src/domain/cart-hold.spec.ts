import { decideCartHold, expireCart, releaseCart, type CartHold } from './cart-hold.js';
import { decideHold } from './hold.js';
import type { Stock } from './stock.js';

const SOON = new Date('2026-03-01T12:15:00Z');
const LATER = new Date('2026-03-01T12:20:00Z');

function shelf(...stocks: Partial<Stock>[]): Map<string, Stock> {
  return new Map(stocks.map((s) => [s.sku ?? 'A', { sku: 'A', onHand: 0, held: 0, version: 1, ...s }]));
}

function cartHold(quantity: number, more: Partial<CartHold> = {}): CartHold {
  return { cartId: 'c1', holdId: 'h1', lines: [{ sku: 'A', quantity }], expiresAt: SOON, ...more };
}

describe('holding for a cart', () => {
  it('sets all lines aside, summed per SKU, until a time', () => {
    const line = { sku: 'A', quantity: 1 };
    const decision = decideCartHold(shelf({ onHand: 5 }), undefined, cartHold(0, { lines: [line, line] }));
    expect(decision.cartHold).toEqual(cartHold(2));
    expect(decision.changes).toEqual([
      {
        stock: { sku: 'A', onHand: 5, held: 2, version: 2 },
        movement: { sku: 'A', kind: 'HELD', onHandDelta: 0, heldDelta: 2, cause: 'cart:c1:h1' },
      },
    ]);
  });

  it('uses what the cart holds already', () => {
    const wanted = cartHold(3, { holdId: 'h2', expiresAt: LATER });
    const decision = decideCartHold(shelf({ onHand: 3, held: 2 }), cartHold(2), wanted);
    expect(decision.cartHold).toEqual(wanted);
    expect(decision.changes.map(({ movement: { heldDelta, cause } }) => [heldDelta, cause])).toEqual([
      [-2, 'cart:c1:h1'],
      [3, 'cart:c1:h2'],
    ]);
    expect(decision.changes.at(-1)?.stock).toEqual({ sku: 'A', onHand: 3, held: 3, version: 3 });
  });

  it('leaves the cart what it holds where the new lines are short', () => {
    const decision = decideCartHold(shelf({ onHand: 3, held: 2 }), cartHold(2), cartHold(4, { expiresAt: LATER }));
    expect(decision).toEqual({
      cartHold: cartHold(2),
      shortages: [{ sku: 'A', requested: 4, available: 3 }],
      changes: [],
    });
  });

  it('moves nothing where the lines are the same, and begins the time anew', () => {
    const again = cartHold(2, { holdId: 'h2', expiresAt: LATER });
    const decision = decideCartHold(shelf({ onHand: 2, held: 2 }), cartHold(2), again);
    expect(decision).toEqual({ cartHold: cartHold(2, { expiresAt: LATER }), shortages: [], changes: [] });
  });
});

describe('the end of what a cart holds', () => {
  it('comes with its time, not before', () => {
    const early = expireCart(shelf({ onHand: 5, held: 2 }), cartHold(2), new Date(SOON.getTime() - 1));
    expect(early).toEqual({ cartHold: cartHold(2), shortages: [], changes: [] });
    const { cartHold: left, changes } = expireCart(shelf({ onHand: 5, held: 2 }), cartHold(2), SOON);
    expect(left).toBeUndefined();
    expect(changes[0]).toEqual({
      stock: { sku: 'A', onHand: 5, held: 0, version: 2 },
      movement: { sku: 'A', kind: 'RELEASED', onHandDelta: 0, heldDelta: -2, cause: 'cart:c1:h1' },
    });
  });

  it('comes when it is given back, once', () => {
    expect(releaseCart(shelf({ onHand: 5, held: 2 }), cartHold(2)).changes).toHaveLength(1);
    expect(releaseCart(shelf({ onHand: 5 }), undefined)).toEqual({ shortages: [], changes: [] });
  });
});

describe('an order from a cart', () => {
  const order = (quantity: number) => ({ orderId: 'o1', lines: [{ sku: 'A', quantity }] });

  it('takes over what the cart holds, though nothing else is left', () => {
    const decision = decideHold(shelf({ onHand: 2, held: 2 }), undefined, order(2), cartHold(2));
    expect(decision).toMatchObject({ hold: { state: 'HELD' }, cartTaken: true });
    expect(decision.changes.at(-1)?.stock).toMatchObject({ onHand: 2, held: 2 });
  });

  it('that is short leaves it with the cart', () => {
    const decision = decideHold(shelf({ onHand: 2, held: 2 }), undefined, order(3), cartHold(2));
    expect(decision.hold).toMatchObject({ state: 'REFUSED', shortages: [{ requested: 3, available: 2 }] });
    expect(decision).toMatchObject({ changes: [] });
    expect(decision.cartTaken).toBeUndefined();
  });

  it('that has its hold leaves alone what the cart holds by now', () => {
    const { hold } = decideHold(shelf({ onHand: 9 }), undefined, order(1));
    const again = decideHold(shelf({ onHand: 9, held: 3 }), hold, order(1), cartHold(2));
    expect(again).toEqual({ hold, changes: [] });
  });
});
