import { stockBelowHeld, tooManyUnits, versionMismatch } from './inventory-errors.js';

/** Most units of a SKU that are counted. */
export const MAX_UNITS = 1_000_000_000;

/** The units of one SKU. */
export interface Stock {
  readonly sku: string;
  /** On the shelf, held ones included. */
  readonly onHand: number;
  /** Set aside for orders and carts. */
  readonly held: number;
  /** Number of movements so far. */
  readonly version: number;
}

export type MovementKind = 'OPENED' | 'COUNTED' | 'HELD' | 'RELEASED' | 'SOLD' | 'RETURNED' | 'ADJUSTED';

/** One change of one SKU's stock. The movements of a SKU sum to its counters. */
export interface Movement {
  readonly sku: string;
  readonly kind: MovementKind;
  readonly onHandDelta: number;
  readonly heldDelta: number;
  /** Order, cart's hold, request or event that caused it. */
  readonly cause: string;
  /** Why staff adjusted the stock, in their words. */
  readonly reason?: string;
}

/** A changed stock and what was written down about the change. */
export interface StockChange {
  readonly stock: Stock;
  readonly movement: Movement;
}

/** A number of units of a SKU. */
export interface StockLine {
  readonly sku: string;
  readonly quantity: number;
}

export function noStock(sku: string): Stock {
  return { sku, onHand: 0, held: 0, version: 0 };
}

/** Units that can be sold. */
export function available(stock: Stock): number {
  return stock.onHand - stock.held;
}

/** Puts the first units of a SKU on the shelf. */
export function openStock(sku: string, openingStock: number, cause: string): StockChange {
  return move(noStock(sku), 'OPENED', cause, { onHand: openingStock });
}

export interface Count {
  readonly onHand: number;
  /** Version that the count is based on; undefined where any will do. */
  readonly expectedVersion?: number;
  readonly cause: string;
}

/**
 * Corrects the units on the shelf to what was counted. A count that finds what was known is a movement too.
 * @throws DomainError VERSION_MISMATCH, STOCK_BELOW_HELD
 */
export function countStock(stock: Stock, count: Count): StockChange {
  checkCount(stock, count);
  return move(stock, 'COUNTED', count.cause, { onHand: count.onHand - stock.onHand });
}

/** What was written down about a SKU besides its counters. */
export interface StockRecords {
  /** What its movements sum to; its version is their number. */
  readonly moved: Stock;
  /** Units that orders and carts hold. */
  readonly heldUnits: number;
}

/**
 * A count of a SKU whose counters and records disagree: what was counted and what is held are the truth from now on, and
 * the movements that are written down make the ledger say so too. The version grows all the same.
 * @throws DomainError VERSION_MISMATCH, STOCK_BELOW_HELD
 */
export function recountStock(
  stock: Stock,
  { moved, heldUnits }: StockRecords,
  count: Count,
): { stock: Stock; movements: Movement[] } {
  checkCount({ ...stock, held: heldUnits }, count);
  const version = Math.max(stock.version, moved.version) + 1;
  const movements = Array.from({ length: version - moved.version }, (_, index): Movement => {
    const [onHandDelta, heldDelta] = index === 0 ? [count.onHand - moved.onHand, heldUnits - moved.held] : [0, 0];
    const cause = index === 0 ? count.cause : `${count.cause}:${index}`;
    return { sku: stock.sku, kind: 'COUNTED', onHandDelta, heldDelta, cause, reason: 'the records were mended' };
  });
  return { stock: { sku: stock.sku, onHand: count.onHand, held: heldUnits, version }, movements };
}

function checkCount(stock: Stock, { onHand, expectedVersion }: Count): void {
  if (expectedVersion !== undefined && expectedVersion !== stock.version) {
    throw versionMismatch(stock.sku, expectedVersion, stock.version);
  }
  if (onHand < stock.held) throw stockBelowHeld(stock.sku, onHand, stock.held);
}

export interface Adjustment {
  /** Units that came in, or went where it is negative. */
  readonly delta: number;
  readonly reason: string;
  readonly cause: string;
}

/**
 * Adds units to the shelf or takes some off.
 * @throws DomainError STOCK_BELOW_HELD, INVALID_ARGUMENT where it would be more than can be counted
 */
export function adjustStock(stock: Stock, { delta, reason, cause }: Adjustment): StockChange {
  const onHand = stock.onHand + delta;
  if (onHand < stock.held) throw stockBelowHeld(stock.sku, onHand, stock.held);
  if (onHand > MAX_UNITS) throw tooManyUnits('delta', MAX_UNITS);
  const change = move(stock, 'ADJUSTED', cause, { onHand: delta });
  return { ...change, movement: { ...change.movement, reason } };
}

export function move(
  stock: Stock,
  kind: MovementKind,
  cause: string,
  { onHand = 0, held = 0 }: { onHand?: number; held?: number },
): StockChange {
  return {
    stock: {
      sku: stock.sku,
      onHand: stock.onHand + onHand,
      held: stock.held + held,
      version: stock.version + 1,
    },
    movement: { sku: stock.sku, kind, onHandDelta: onHand, heldDelta: held, cause },
  };
}
