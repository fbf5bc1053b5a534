import { freeCartHold, type CartHold } from './cart-hold.js';
import { canBecome, type HoldState } from './hold-state.js';
import { nothingHeld } from './inventory-errors.js';
import { moveLines, shelfAfter, shortagesOf, sumPerSku, type Shelf, type Shortage } from './shelf.js';
import type { StockChange, StockLine } from './stock.js';

/** What one order asked for and got. One order has one hold for good. */
export interface Hold {
  readonly orderId: string;
  readonly state: HoldState;
  /** What is or was set aside, one line per SKU; none where nothing ever was. */
  readonly lines: readonly StockLine[];
  /** Why it was refused; empty unless it was. */
  readonly shortages: readonly Shortage[];
}

/** A hold after a command, and the changes of stock that go with it; no changes where the command did nothing. */
export interface HoldDecision {
  readonly hold: Hold;
  readonly changes: readonly StockChange[];
  /** Whether what the order's cart held became part of the order's hold. */
  readonly cartTaken?: boolean;
}

/**
 * Sets all lines aside for the order, or none. The order may use what its cart holds; where it is refused, the cart keeps
 * that. An order that has a hold already keeps it as it is.
 */
export function decideHold(
  shelf: Shelf,
  existing: Hold | undefined,
  { orderId, lines }: { orderId: string; lines: readonly StockLine[] },
  cart?: CartHold,
): HoldDecision {
  if (existing) return unchanged(existing);
  const freed = cart ? freeCartHold(shelf, cart) : [];
  const rest = shelfAfter(shelf, freed);
  const wanted = sumPerSku(lines);
  const shortages = shortagesOf(rest, wanted);
  if (shortages.length > 0) return unchanged({ orderId, state: 'REFUSED', lines: [], shortages });
  const held = moveLines(rest, wanted, { kind: 'HELD', cause: orderId }, (quantity) => ({ held: quantity }));
  const hold: Hold = { orderId, state: 'HELD', lines: wanted, shortages: [] };
  return { hold, changes: [...freed, ...held], cartTaken: cart !== undefined };
}

/**
 * Sets the order's units free, or returns sold ones to the shelf. Where the order has no hold yet, it gets an empty one
 * that is released already, so that a late request to hold is too late.
 */
export function releaseHold(shelf: Shelf, existing: Hold | undefined, orderId: string): HoldDecision {
  if (!existing) return unchanged({ orderId, state: 'RELEASED', lines: [], shortages: [] });
  const { state, lines } = existing;
  if (!canBecome(state, 'RELEASED')) return unchanged(existing);
  const changes =
    state === 'SOLD'
      ? moveLines(shelf, lines, { kind: 'RETURNED', cause: orderId }, (quantity) => ({ onHand: quantity }))
      : moveLines(shelf, lines, { kind: 'RELEASED', cause: orderId }, (quantity) => ({ held: -quantity }));
  return { hold: { ...existing, state: 'RELEASED' }, changes };
}

/**
 * Takes the held units out of the stock: they are sold. An order that was called off meanwhile stays so.
 * @throws DomainError NOTHING_HELD where the order never got a hold
 */
export function sellHold(shelf: Shelf, existing: Hold | undefined, orderId: string): HoldDecision {
  if (!existing || existing.state === 'REFUSED') throw nothingHeld(orderId, existing?.state ?? 'NONE');
  if (!canBecome(existing.state, 'SOLD')) return unchanged(existing);
  const sold = (quantity: number) => ({ onHand: -quantity, held: -quantity });
  const changes = moveLines(shelf, existing.lines, { kind: 'SOLD', cause: orderId }, sold);
  return { hold: { ...existing, state: 'SOLD' }, changes };
}

function unchanged(hold: Hold): HoldDecision {
  return { hold, changes: [] };
}
