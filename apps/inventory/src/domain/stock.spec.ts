import type { DomainError } from '@souk/errors';
import { adjustStock, available, countStock, noStock, openStock, recountStock } from './stock.js';

const LANTERN = { sku: 'LANTERN', onHand: 10, held: 4, version: 7 };

function errorOf(action: () => unknown): Partial<DomainError> {
  try {
    action();
  } catch (error) {
    return error as DomainError;
  }
  throw new Error('Nothing was thrown.');
}

describe('stock', () => {
  it('has available what is on hand and not held', () => {
    expect(available(LANTERN)).toBe(6);
    expect(available(noStock('LANTERN'))).toBe(0);
  });

  it('opens with the units that the merchant gave', () => {
    expect(openStock('LANTERN', 12, 'event-1')).toEqual({
      stock: { sku: 'LANTERN', onHand: 12, held: 0, version: 1 },
      movement: { sku: 'LANTERN', kind: 'OPENED', onHandDelta: 12, heldDelta: 0, cause: 'event-1' },
    });
  });

  it('takes over what was counted', () => {
    expect(countStock(LANTERN, { onHand: 6, cause: 'count-1' })).toEqual({
      stock: { sku: 'LANTERN', onHand: 6, held: 4, version: 8 },
      movement: { sku: 'LANTERN', kind: 'COUNTED', onHandDelta: -4, heldDelta: 0, cause: 'count-1' },
    });
  });

  it('writes down a count that finds nothing new', () => {
    const { stock, movement } = countStock(LANTERN, { onHand: 10, cause: 'count-1' });
    expect(movement.onHandDelta).toBe(0);
    expect(stock.version).toBe(8);
  });

  it('can be counted down to what is held, and no further (F39)', () => {
    expect(countStock(LANTERN, { onHand: 4, cause: 'count-1' }).stock.onHand).toBe(4);
    expect(errorOf(() => countStock(LANTERN, { onHand: 3, cause: 'count-1' }))).toMatchObject({
      kind: 'refused',
      reason: 'STOCK_BELOW_HELD',
      metadata: { sku: 'LANTERN', on_hand: '3', held: '4' },
    });
  });

  it('refuses a count that is based on an older version', () => {
    expect(countStock(LANTERN, { onHand: 9, expectedVersion: 7, cause: 'count-1' }).stock.onHand).toBe(9);
    expect(errorOf(() => countStock(LANTERN, { onHand: 9, expectedVersion: 6, cause: 'count-1' }))).toMatchObject({
      kind: 'mismatch',
      reason: 'VERSION_MISMATCH',
      metadata: { sku: 'LANTERN', expected_version: '6', version: '7' },
    });
  });

  it('is adjusted by what came in or went, with the reason', () => {
    const adjustment = { delta: -2, reason: 'broken', cause: 'request-1' };
    expect(adjustStock(LANTERN, adjustment)).toEqual({
      stock: { sku: 'LANTERN', onHand: 8, held: 4, version: 8 },
      movement: {
        sku: 'LANTERN',
        kind: 'ADJUSTED',
        onHandDelta: -2,
        heldDelta: 0,
        cause: 'request-1',
        reason: 'broken',
      },
    });
    expect(adjustStock(LANTERN, { ...adjustment, delta: 5 }).stock.onHand).toBe(15);
  });

  it('is adjusted down to what is held, and no further (F39)', () => {
    const adjustment = { reason: '', cause: 'request-1' };
    expect(adjustStock(LANTERN, { ...adjustment, delta: -6 }).stock.onHand).toBe(4);
    expect(errorOf(() => adjustStock(LANTERN, { ...adjustment, delta: -7 }))).toMatchObject({
      kind: 'refused',
      reason: 'STOCK_BELOW_HELD',
      metadata: { sku: 'LANTERN', on_hand: '3', held: '4' },
    });
    const tooMany = () => adjustStock(LANTERN, { ...adjustment, delta: 1_000_000_000 });
    expect(errorOf(tooMany)).toMatchObject({ reason: 'INVALID_ARGUMENT', violations: [{ field: 'delta' }] });
  });

  it('is counted anew where its records disagree: they say what was counted and what is held', () => {
    const records = { moved: { sku: 'LANTERN', onHand: 12, held: 3, version: 5 }, heldUnits: 6 };
    const { stock, movements } = recountStock(LANTERN, records, { onHand: 9, cause: 'count-1' });
    expect(stock).toEqual({ sku: 'LANTERN', onHand: 9, held: 6, version: 8 });
    expect(movements.map(({ cause, onHandDelta, heldDelta }) => [cause, onHandDelta, heldDelta])).toEqual([
      ['count-1', -3, 3],
      ['count-1:1', 0, 0],
      ['count-1:2', 0, 0],
    ]);
    const below = () => recountStock(LANTERN, records, { onHand: 5, cause: 'count-1' });
    expect(errorOf(below)).toMatchObject({ reason: 'STOCK_BELOW_HELD', metadata: { held: '6' } });
  });
});
