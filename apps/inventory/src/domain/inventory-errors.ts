import { DomainError, invalid } from '@souk/errors';

export function skuNotFound(sku: string): DomainError {
  return new DomainError({
    kind: 'not_found',
    reason: 'SKU_NOT_FOUND',
    message: `There is no stock of SKU ${sku}.`,
    metadata: { sku },
  });
}

export function stockBelowHeld(sku: string, onHand: number, held: number): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'STOCK_BELOW_HELD',
    message: `${held} units of ${sku} are held, so there can't be only ${onHand} on hand.`,
    metadata: { sku, on_hand: String(onHand), held: String(held) },
  });
}

export function versionMismatch(sku: string, expected: number, version: number): DomainError {
  return new DomainError({
    kind: 'mismatch',
    reason: 'VERSION_MISMATCH',
    message: `The stock of ${sku} changed since version ${expected}. Read it and count again.`,
    metadata: { sku, expected_version: String(expected), version: String(version) },
  });
}

export function tooManyUnits(field: string, most: number): DomainError {
  return invalid([{ field, description: `at most ${most} units can be on hand` }]);
}

/** The ledger remembers a key longer than its answer is kept. */
export function requestIdReused(): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'REQUEST_ID_REUSED',
    message: 'The key was used before, so long ago that its answer is forgotten. Make a new key for a new request.',
  });
}

/** An order was confirmed that has no units to sell: the two services disagree and a person must look. */
export function nothingHeld(orderId: string, state: string): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'NOTHING_HELD',
    message: `Order ${orderId} was confirmed, but no stock is held for it.`,
    metadata: { order_id: orderId, hold_state: state },
  });
}
