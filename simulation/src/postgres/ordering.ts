import type { OrderItem } from './syntax.ts';
import { compare } from './values.ts';

type Direction = Pick<OrderItem, 'descending' | 'nullsFirst'>;

/** Sorts items by several values, one after the other. */
export function sortedBy<T>(
  items: readonly T[],
  by: readonly (Direction & { readonly value: (item: T) => unknown })[],
): T[] {
  if (by.length === 0) return [...items];
  return items.toSorted((a, b) => {
    for (const { value, ...direction } of by) {
      const order = inDirection(direction, value(a), value(b));
      if (order !== 0) return order;
    }
    return 0;
  });
}

function inDirection({ descending, nullsFirst }: Direction, left: unknown, right: unknown): number {
  if (left === null || right === null) return left === right ? 0 : (left === null) === nullsFirst ? -1 : 1;
  return descending ? -compare(left, right) : compare(left, right);
}
