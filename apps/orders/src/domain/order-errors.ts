import { DomainError } from '@souk/errors';
import { toDecimal, type Money } from '@souk/money';
import type { Shortage } from './order.js';
import type { OrderState } from './order-state.js';
import { stockShort } from './rejections.js';

export function orderNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'ORDER_NOT_FOUND', message: 'There is no such order.' });
}

export function orderNotCancellable(state: OrderState): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'ORDER_NOT_CANCELLABLE',
    message: `An order that is ${state} can't be cancelled.`,
    metadata: { state },
  });
}

export function orderNotFulfillable(state: OrderState): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'ORDER_NOT_FULFILLABLE',
    message: `Only a confirmed order can be fulfilled; this one is ${state}.`,
    metadata: { state },
  });
}

export function requestIdReused(): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'REQUEST_ID_REUSED',
    message: 'The key was used for another request. Make a new key for a new request.',
  });
}

/** @param skus the ones that are unknown or were taken off sale */
export function skuNotForSale(skus: readonly string[]): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'SKU_NOT_FOR_SALE',
    message: `Not for sale: ${skus.join(', ')}.`,
    metadata: { skus: skus.join(',') },
  });
}

/** @param expected what the buyer was shown */
export function totalChanged(expected: Money, total: Money): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'TOTAL_CHANGED',
    message: `It costs ${toDecimal(total)} ${total.currency} now. Order again with this total to accept it.`,
    metadata: { expected: String(expected.amount), total: String(total.amount), currency: total.currency },
  });
}

export function cartNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'CART_NOT_FOUND', message: 'There is no such cart.' });
}

export function cartEmpty(): DomainError {
  return new DomainError({ kind: 'refused', reason: 'CART_EMPTY', message: 'The cart is empty.' });
}

export function cartOrdered(orderId: string): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'CART_ORDERED',
    message: 'The cart has become an order and can no longer be changed.',
    metadata: { orderId },
  });
}

/** Tells what is short as JSON, since an error's facts are texts. */
export function cartStockShort(shortages: readonly Shortage[]): DomainError {
  const { reason, message } = stockShort(shortages);
  return new DomainError({ kind: 'refused', reason, message, metadata: { shortages: JSON.stringify(shortages) } });
}

export function cartFull(limit: number): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'CART_FULL',
    message: `A cart holds at most ${limit} lines.`,
  });
}

export function cartVersionMismatch(version: number): DomainError {
  return new DomainError({
    kind: 'mismatch',
    reason: 'VERSION_MISMATCH',
    message: 'The cart was changed meanwhile. Read it again.',
    metadata: { version: String(version) },
  });
}
