import { DomainError, hasReason, invalid, isDomainError } from './domain-error.js';

describe('DomainError', () => {
  const short = new DomainError({
    kind: 'refused',
    reason: 'STOCK_SHORT',
    message: 'Too few.',
    metadata: { sku: 'A' },
  });

  it('carries kind, reason and facts', () => {
    expect(short).toMatchObject({
      kind: 'refused',
      reason: 'STOCK_SHORT',
      message: 'Too few.',
      metadata: { sku: 'A' },
    });
    expect(short.violations).toEqual([]);
  });

  it('is an Error and keeps its cause', () => {
    const cause = new Error('socket');
    const error = new DomainError({ kind: 'unavailable', reason: 'AWAY', message: 'Away.', cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.cause).toBe(cause);
  });

  it('is recognised by its shape, also when it comes from another copy of the package', () => {
    const copy = Object.assign(new Error('Too few.'), { name: 'DomainError', kind: 'refused', reason: 'STOCK_SHORT' });
    expect(isDomainError(copy)).toBe(true);
    expect(hasReason(copy, 'STOCK_SHORT')).toBe(true);
    expect(isDomainError(new Error('Too few.'))).toBe(false);
    expect(isDomainError({ name: 'DomainError', kind: 'refused', reason: 'X' })).toBe(false);
  });

  it('is matched by any of the given reasons', () => {
    expect(hasReason(short, 'ORDER_EMPTY', 'STOCK_SHORT')).toBe(true);
    expect(hasReason(short, 'ORDER_EMPTY')).toBe(false);
  });
});

describe('invalid', () => {
  it('names every wrong field at once', () => {
    const violations = [
      { field: 'email', description: 'is not an address' },
      { field: 'lines', description: 'is empty' },
    ];
    const error = invalid(violations);
    expect(error).toMatchObject({ kind: 'invalid', reason: 'INVALID_ARGUMENT', violations });
    expect(error.message).toBe('email: is not an address; lines: is empty');
  });
});
