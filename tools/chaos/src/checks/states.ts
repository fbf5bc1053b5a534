/** The states of an order, as the shop promises them. */

/** What an order may become next. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['CONFIRMED', 'REJECTED', 'CANCELLED'],
  CONFIRMED: ['FULFILLED', 'CANCELLED'],
  FULFILLED: ['REFUNDED'],
};

/** States in which the customer has, or will get, the goods. */
export const SOLD: readonly string[] = ['CONFIRMED', 'FULFILLED', 'REFUNDED'];
/** States in which nothing is held and no money is kept. */
export const UNDONE: readonly string[] = ['REJECTED', 'CANCELLED'];

/** Whether an order that was in one state can be in another one later. */
export function canFollow(from: string, to: string): boolean {
  return from === to || (NEXT[from] ?? []).some((next) => canFollow(next, to));
}
