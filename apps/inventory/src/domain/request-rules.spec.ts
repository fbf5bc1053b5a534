import type { DomainError } from '@souk/errors';
import { checkAdjustment, checkCartHold, checkCount, checkHold, checkOrderIds, checkSkus } from './request-rules.js';

function fieldsOf(action: () => void): string[] {
  try {
    action();
  } catch (error) {
    return (error as DomainError).violations.map(({ field }) => field);
  }
  return [];
}

describe('a request to hold', () => {
  const line = { sku: 'A', quantity: 1 };

  it('is taken when it is in bounds', () => {
    expect(
      fieldsOf(() => checkHold({ orderId: 'o1', cartId: '', lines: [line, { sku: 'B', quantity: 1_000_000_000 }] })),
    ).toEqual([]);
  });

  it('is told every field that is wrong', () => {
    const lines = [line, { sku: '', quantity: 0 }, { sku: 'a\u0000', quantity: 1 }];
    expect(fieldsOf(() => checkHold({ orderId: '', cartId: 'x'.repeat(101), lines }))).toEqual([
      'order_id',
      'lines[1].sku',
      'lines[1].quantity',
      'lines[2].sku',
      'cart_id',
    ]);
  });

  it('has 1 to 500 lines', () => {
    expect(fieldsOf(() => checkHold({ orderId: 'o1', cartId: '', lines: [] }))).toEqual(['lines']);
    expect(fieldsOf(() => checkHold({ orderId: 'o1', cartId: '', lines: Array(501).fill(line) }))).toEqual(['lines']);
  });

  it('does not ask for more units of a SKU than can be counted, over all its lines', () => {
    const lines = [
      { sku: 'A', quantity: 1_000_000_000 },
      { sku: 'A', quantity: 1 },
    ];
    expect(fieldsOf(() => checkHold({ orderId: 'o1', cartId: '', lines }))).toEqual(['lines']);
  });
});

describe('a request to hold for a cart', () => {
  const hold = { cartId: 'c1', lines: [{ sku: 'A', quantity: 1 }], timeToLiveMs: 900_000 };

  it('names the cart, its lines and a time of 1 s to 1 h', () => {
    expect(fieldsOf(() => checkCartHold(hold))).toEqual([]);
    expect(fieldsOf(() => checkCartHold({ cartId: '', lines: [], timeToLiveMs: 0 }))).toEqual([
      'cart_id',
      'lines',
      'time_to_live',
    ]);
    expect(fieldsOf(() => checkCartHold({ ...hold, timeToLiveMs: 999 }))).toEqual(['time_to_live']);
    expect(fieldsOf(() => checkCartHold({ ...hold, timeToLiveMs: 3_600_001 }))).toEqual(['time_to_live']);
    expect(fieldsOf(() => checkCartHold({ ...hold, timeToLiveMs: NaN }))).toEqual(['time_to_live']);
  });
});

describe('an adjustment', () => {
  const adjustment = { sku: 'A', delta: -3, reason: '', requestId: 'adjust-1' };

  it('has a key, and changes something', () => {
    expect(fieldsOf(() => checkAdjustment(adjustment))).toEqual([]);
    expect(fieldsOf(() => checkAdjustment({ ...adjustment, delta: 0, requestId: '' }))).toEqual([
      'delta',
      'request_id',
    ]);
    expect(fieldsOf(() => checkAdjustment({ ...adjustment, delta: -1_000_000_001 }))).toEqual(['delta']);
  });

  it('may have a reason of 200 characters', () => {
    expect(fieldsOf(() => checkAdjustment({ ...adjustment, reason: 'x'.repeat(200) }))).toEqual([]);
    expect(fieldsOf(() => checkAdjustment({ ...adjustment, reason: 'x'.repeat(201) }))).toEqual(['reason']);
  });
});

describe('a count', () => {
  const count = { sku: 'A', onHand: 0, expectedVersion: 0, requestId: '' };

  it('may be of 0 to 1,000,000,000 units', () => {
    expect(fieldsOf(() => checkCount(count))).toEqual([]);
    expect(fieldsOf(() => checkCount({ ...count, onHand: 1_000_000_000 }))).toEqual([]);
    expect(fieldsOf(() => checkCount({ ...count, onHand: 1_000_000_001 }))).toEqual(['on_hand']);
    expect(fieldsOf(() => checkCount({ ...count, onHand: -1 }))).toEqual(['on_hand']);
  });

  it('has a SKU, a version and a key that can be', () => {
    const wrong = { sku: 'x'.repeat(101), onHand: 1, expectedVersion: -1, requestId: 'x'.repeat(101) };
    expect(fieldsOf(() => checkCount(wrong))).toEqual(['sku', 'expected_version', 'request_id']);
  });
});

describe('a request for many SKUs', () => {
  it('names 500 at most', () => {
    expect(fieldsOf(() => checkSkus(Array(500).fill('A')))).toEqual([]);
    expect(fieldsOf(() => checkSkus(Array(501).fill('A')))).toEqual(['skus']);
    expect(fieldsOf(() => checkSkus(['A', '']))).toEqual(['skus[1]']);
  });
});

describe('a request for many orders', () => {
  it('names 500 at most', () => {
    expect(fieldsOf(() => checkOrderIds(Array(500).fill('o1')))).toEqual([]);
    expect(fieldsOf(() => checkOrderIds(Array(501).fill('o1')))).toEqual(['order_ids']);
    expect(fieldsOf(() => checkOrderIds(['o1', '']))).toEqual(['order_ids[1]']);
  });
});
