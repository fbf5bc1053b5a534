/** Where an order stands. */
export type OrderState = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED' | 'FULFILLED';

/** What an order may become next. A state without a next one is final. */
export const ORDER_TRANSITIONS: Readonly<Record<OrderState, readonly OrderState[]>> = {
  PENDING: ['CONFIRMED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['FULFILLED', 'CANCELLED'],
  REJECTED: [],
  CANCELLED: [],
  FULFILLED: [],
};

export function mayBecome(from: OrderState, to: OrderState): boolean {
  return ORDER_TRANSITIONS[from].includes(to);
}
