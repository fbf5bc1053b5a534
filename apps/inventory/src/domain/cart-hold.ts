/**
 * What carts set aside. A cart's hold has a clock, since a cart may be left standing: it ends when its time is up, when it
 * is given back, or when it becomes part of the order. Until it was set free, also after its time, its units are the
 * cart's own to use.
 */
import { moveLines, shelfAfter, shortagesOf, sumPerSku, type Shelf, type Shortage } from './shelf.js';
import type { StockChange, StockLine } from './stock.js';

/** What one cart holds now. */
export interface CartHold {
  readonly cartId: string;
  /** Of this act of holding: what it sets aside is set free once. */
  readonly holdId: string;
  /** One line per SKU. */
  readonly lines: readonly StockLine[];
  readonly expiresAt: Date;
}

/** What a cart holds after a command, and the changes of stock that go with it. */
export interface CartDecision {
  /** Nothing where the cart holds nothing. */
  readonly cartHold?: CartHold;
  /** Why it was refused; empty unless it was. */
  readonly shortages: readonly Shortage[];
  readonly changes: readonly StockChange[];
}

/** Sets all lines aside for the cart, in place of what it holds, or leaves everything as it is. */
export function decideCartHold(shelf: Shelf, existing: CartHold | undefined, wanted: CartHold): CartDecision {
  const lines = sumPerSku(wanted.lines);
  if (existing && sameLines(existing.lines, lines)) {
    return { cartHold: { ...existing, expiresAt: wanted.expiresAt }, shortages: [], changes: [] };
  }
  const freed = existing ? freeCartHold(shelf, existing) : [];
  const rest = shelfAfter(shelf, freed);
  const shortages = shortagesOf(rest, lines);
  if (shortages.length > 0) return { cartHold: existing, shortages, changes: [] };
  const cartHold = { ...wanted, lines };
  const held = moveLines(rest, lines, { kind: 'HELD', cause: causeOf(cartHold) }, (quantity) => ({ held: quantity }));
  return { cartHold, shortages: [], changes: [...freed, ...held] };
}

/** Sets free what the cart holds. */
export function releaseCart(shelf: Shelf, existing: CartHold | undefined): CartDecision {
  return { shortages: [], changes: existing ? freeCartHold(shelf, existing) : [] };
}

/** Sets free what the cart holds where its time is up. */
export function expireCart(shelf: Shelf, existing: CartHold | undefined, now: Date): CartDecision {
  if (existing && existing.expiresAt > now) return { cartHold: existing, shortages: [], changes: [] };
  return releaseCart(shelf, existing);
}

/** The changes that set free what the hold set aside. */
export function freeCartHold(shelf: Shelf, hold: CartHold): StockChange[] {
  return moveLines(shelf, hold.lines, { kind: 'RELEASED', cause: causeOf(hold) }, (quantity) => ({ held: -quantity }));
}

function causeOf({ cartId, holdId }: CartHold): string {
  return `cart:${cartId}:${holdId}`;
}

function sameLines(some: readonly StockLine[], others: readonly StockLine[]): boolean {
  const quantities = new Map(others.map(({ sku, quantity }) => [sku, quantity]));
  return some.length === others.length && some.every(({ sku, quantity }) => quantities.get(sku) === quantity);
}
