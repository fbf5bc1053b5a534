import { canBecome, type HoldState } from './hold-state.js';
import { nothingHeld } from './inventory-errors.js';
import { available, move, noStock, type MovementKind, type Stock, type StockChange, type StockLine } from './stock.js';

/** A SKU of which there are fewer units than an order asked for. */
export interface Shortage {
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
}

/** What one order asked for and got. One order has one hold for good. */
export interface Hold {
  readonly orderId: string;
  readonly state: HoldState;
  /** What is or was set aside, one line per SKU; none where nothing ever was. */
  readonly lines: readonly StockLine[];
  /** Why it was refused; empty unless it was. */
  readonly shortages: readonly Shortage[];
}

/** Stock by SKU; SKUs that are not in it have never been opened. */
export type Shelf = ReadonlyMap<string, Stock>;

/** A hold after a command, and the changes of stock that go with it; no changes where the command did nothing. */
export interface HoldDecision {
  readonly hold: Hold;
  readonly changes: readonly StockChange[];
}

/** Quantities summed per SKU, in the order of the SKUs' first lines. */
export function sumPerSku(lines: readonly StockLine[]): StockLine[] {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  return [...sums].map(([sku, quantity]) => ({ sku, quantity }));
}

/** Sets all lines aside for the order, or none. An order that has a hold already keeps it as it is. */
export function decideHold(
  shelf: Shelf,
  existing: Hold | undefined,
  { orderId, lines }: { orderId: string; lines: readonly StockLine[] },
): HoldDecision {
  if (existing) return unchanged(existing);
  const wanted = sumPerSku(lines);
  const shortages = shortagesOf(shelf, wanted);
  if (shortages.length > 0) return unchanged({ orderId, state: 'REFUSED', lines: [], shortages });
  const hold: Hold = { orderId, state: 'HELD', lines: wanted, shortages: [] };
  return { hold, changes: moveLines(shelf, hold, 'HELD', (quantity) => ({ held: quantity })) };
}

/**
 * Sets the order's units free, or returns sold ones to the shelf. Where the order has no hold yet, it gets an empty one
 * that is released already, so that a late request to hold is too late.
 */
export function releaseHold(shelf: Shelf, existing: Hold | undefined, orderId: string): HoldDecision {
  if (!existing) return unchanged({ orderId, state: 'RELEASED', lines: [], shortages: [] });
  if (!canBecome(existing.state, 'RELEASED')) return unchanged(existing);
  const hold: Hold = { ...existing, state: 'RELEASED' };
  const changes =
    existing.state === 'SOLD'
      ? moveLines(shelf, hold, 'RETURNED', (quantity) => ({ onHand: quantity }))
      : moveLines(shelf, hold, 'RELEASED', (quantity) => ({ held: -quantity }));
  return { hold, changes };
}

/**
 * Takes the held units out of the stock: they are sold. An order that was called off meanwhile stays so.
 * @throws DomainError NOTHING_HELD where the order never got a hold
 */
export function sellHold(shelf: Shelf, existing: Hold | undefined, orderId: string): HoldDecision {
  if (!existing || existing.state === 'REFUSED') throw nothingHeld(orderId, existing?.state ?? 'NONE');
  if (!canBecome(existing.state, 'SOLD')) return unchanged(existing);
  const hold: Hold = { ...existing, state: 'SOLD' };
  return { hold, changes: moveLines(shelf, hold, 'SOLD', (quantity) => ({ onHand: -quantity, held: -quantity })) };
}

function shortagesOf(shelf: Shelf, wanted: readonly StockLine[]): Shortage[] {
  return wanted
    .map(({ sku, quantity }) => ({ sku, requested: quantity, available: available(shelf.get(sku) ?? noStock(sku)) }))
    .filter((line) => line.requested > line.available);
}

function moveLines(
  shelf: Shelf,
  hold: Hold,
  kind: MovementKind,
  deltas: (quantity: number) => { onHand?: number; held?: number },
): StockChange[] {
  return hold.lines.map(({ sku, quantity }) => {
    const stock = shelf.get(sku);
    if (!stock) throw new Error(`Order ${hold.orderId} holds SKU ${sku}, which has no stock.`);
    return move(stock, kind, hold.orderId, deltas(quantity));
  });
}

function unchanged(hold: Hold): HoldDecision {
  return { hold, changes: [] };
}
