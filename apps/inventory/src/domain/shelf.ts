/** What decisions about holds have in common, whoever holds. */
import { available, move, noStock, type MovementKind, type Stock, type StockChange, type StockLine } from './stock.js';

/** Stock by SKU; SKUs that are not in it have never been opened. */
export type Shelf = Pick<ReadonlyMap<string, Stock>, 'get'>;

/** A SKU of which there are fewer units than were asked for. */
export interface Shortage {
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
}

/** Quantities summed per SKU, in the order of the SKUs' first lines. */
export function sumPerSku(lines: readonly StockLine[]): StockLine[] {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  return [...sums].map(([sku, quantity]) => ({ sku, quantity }));
}

export function shortagesOf(shelf: Shelf, wanted: readonly StockLine[]): Shortage[] {
  return wanted
    .map(({ sku, quantity }) => ({ sku, requested: quantity, available: available(shelf.get(sku) ?? noStock(sku)) }))
    .filter((line) => line.requested > line.available);
}

/** One change per line; lines are summed per SKU. */
export function moveLines(
  shelf: Shelf,
  lines: readonly StockLine[],
  { kind, cause }: { kind: MovementKind; cause: string },
  deltas: (quantity: number) => { onHand?: number; held?: number },
): StockChange[] {
  return lines.map(({ sku, quantity }) => {
    const stock = shelf.get(sku);
    if (!stock) throw new Error(`${cause} holds SKU ${sku}, which has no stock.`);
    return move(stock, kind, cause, deltas(quantity));
  });
}

/** The shelf as it is after the changes. */
export function shelfAfter(shelf: Shelf, changes: readonly StockChange[]): Shelf {
  if (changes.length === 0) return shelf;
  const changed = new Map(changes.map(({ stock }) => [stock.sku, stock]));
  return { get: (sku) => changed.get(sku) ?? shelf.get(sku) };
}
