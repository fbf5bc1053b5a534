import { decideHold, releaseHold, sellHold, type Hold } from './hold.js';
import type { Stock } from './stock.js';

const ORDER = 'order-1';

function shelf(...stocks: Partial<Stock>[]): Map<string, Stock> {
  return new Map(stocks.map((s) => [s.sku ?? 'A', { sku: 'A', onHand: 0, held: 0, version: 1, ...s }]));
}

function aHold(state: Hold['state']): Hold {
  return { orderId: ORDER, state, lines: [{ sku: 'A', quantity: 2 }], shortages: [] };
}

describe('holding stock', () => {
  it('sets all lines aside', () => {
    const decision = decideHold(shelf({ sku: 'A', onHand: 5, held: 3 }, { sku: 'B', onHand: 1 }), undefined, {
      orderId: ORDER,
      lines: [
        { sku: 'A', quantity: 2 },
        { sku: 'B', quantity: 1 },
      ],
    });
    expect(decision.hold.state).toBe('HELD');
    expect(decision.changes.map(({ stock }) => stock)).toEqual([
      { sku: 'A', onHand: 5, held: 5, version: 2 },
      { sku: 'B', onHand: 1, held: 1, version: 2 },
    ]);
    expect(decision.changes[0]?.movement).toEqual({
      sku: 'A',
      kind: 'HELD',
      onHandDelta: 0,
      heldDelta: 2,
      cause: ORDER,
    });
  });

  it('sets nothing aside where one line is short, and says which', () => {
    const decision = decideHold(shelf({ sku: 'A', onHand: 5 }, { sku: 'B', onHand: 3, held: 2 }), undefined, {
      orderId: ORDER,
      lines: [
        { sku: 'A', quantity: 5 },
        { sku: 'B', quantity: 2 },
        { sku: 'UNKNOWN', quantity: 1 },
      ],
    });
    expect(decision.changes).toEqual([]);
    expect(decision.hold).toEqual({
      orderId: ORDER,
      state: 'REFUSED',
      lines: [],
      shortages: [
        { sku: 'B', requested: 2, available: 1 },
        { sku: 'UNKNOWN', requested: 1, available: 0 },
      ],
    });
  });

  it('sums the lines of one SKU before it looks', () => {
    const lines = [
      { sku: 'A', quantity: 2 },
      { sku: 'A', quantity: 1 },
    ];
    const refused = decideHold(shelf({ onHand: 2 }), undefined, { orderId: ORDER, lines });
    expect(refused.hold.shortages).toEqual([{ sku: 'A', requested: 3, available: 2 }]);
    const held = decideHold(shelf({ onHand: 3 }), undefined, { orderId: ORDER, lines });
    expect(held.hold.lines).toEqual([{ sku: 'A', quantity: 3 }]);
    expect(held.changes).toHaveLength(1);
  });

  it.each(['HELD', 'REFUSED', 'RELEASED', 'SOLD'] as const)('leaves an order that is %s as it is', (state) => {
    const existing = aHold(state);
    const again = decideHold(shelf({ onHand: 9 }), existing, { orderId: ORDER, lines: [{ sku: 'A', quantity: 9 }] });
    expect(again).toEqual({ hold: existing, changes: [] });
  });
});

describe('releasing stock', () => {
  it('sets held units free', () => {
    const { hold, changes } = releaseHold(shelf({ onHand: 5, held: 2 }), aHold('HELD'), ORDER);
    expect(hold).toEqual(aHold('RELEASED'));
    expect(changes).toEqual([
      {
        stock: { sku: 'A', onHand: 5, held: 0, version: 2 },
        movement: { sku: 'A', kind: 'RELEASED', onHandDelta: 0, heldDelta: -2, cause: ORDER },
      },
    ]);
  });

  it('returns sold units to the shelf', () => {
    const { hold, changes } = releaseHold(shelf({ onHand: 3 }), aHold('SOLD'), ORDER);
    expect(hold.state).toBe('RELEASED');
    expect(changes[0]?.stock).toMatchObject({ onHand: 5, held: 0 });
    expect(changes[0]?.movement.kind).toBe('RETURNED');
  });

  it.each(['REFUSED', 'RELEASED'] as const)('does nothing to an order that is %s', (state) => {
    expect(releaseHold(shelf({ onHand: 5, held: 2 }), aHold(state), ORDER)).toEqual({
      hold: aHold(state),
      changes: [],
    });
  });

  it('makes a hold that comes later too late', () => {
    const stock = shelf({ onHand: 5 });
    const { hold, changes } = releaseHold(stock, undefined, ORDER);
    expect({ hold, changes }).toEqual({
      hold: { orderId: ORDER, state: 'RELEASED', lines: [], shortages: [] },
      changes: [],
    });
    const late = decideHold(stock, hold, { orderId: ORDER, lines: [{ sku: 'A', quantity: 1 }] });
    expect(late).toEqual({ hold, changes: [] });
  });
});

describe('selling stock', () => {
  it('takes held units out of the stock', () => {
    const { hold, changes } = sellHold(shelf({ onHand: 5, held: 3 }), aHold('HELD'), ORDER);
    expect(hold.state).toBe('SOLD');
    expect(changes).toEqual([
      {
        stock: { sku: 'A', onHand: 3, held: 1, version: 2 },
        movement: { sku: 'A', kind: 'SOLD', onHandDelta: -2, heldDelta: -2, cause: ORDER },
      },
    ]);
  });

  it.each(['SOLD', 'RELEASED'] as const)('does nothing to an order that is %s', (state) => {
    expect(sellHold(shelf({ onHand: 5, held: 3 }), aHold(state), ORDER)).toEqual({ hold: aHold(state), changes: [] });
  });

  it.each([undefined, aHold('REFUSED')])('reports an order that never got a hold', (existing) => {
    const sell = () => sellHold(shelf({ onHand: 5 }), existing, ORDER);
    expect(sell).toThrow(`Order ${ORDER} was confirmed, but no stock is held for it.`);
  });
});
