/** Where an order stands. */
export type OrderState = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED' | 'FULFILLED' | 'REFUNDED';

/** What an order may become next. A state without a next one is final. */
export const ORDER_TRANSITIONS: Readonly<Record<OrderState, readonly OrderState[]>> = {
  PENDING: ['CONFIRMED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['FULFILLED', 'CANCELLED'],
  REJECTED: [],
  CANCELLED: [],
  FULFILLED: ['REFUNDED'],
  REFUNDED: [],
};

export function mayBecome(from: OrderState, to: OrderState): boolean {
  return ORDER_TRANSITIONS[from].includes(to);
}
