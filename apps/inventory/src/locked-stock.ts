/**
 * The locked rows of one transaction and what was decided on them so far. Commands are decided one after the other, each
 * on what the ones before have left; `write` then costs two statements for any number of them.
 */
import { appendToOutbox } from '@souk/outbox';
import type { Transaction } from '@souk/postgres';
import { decideHold, releaseHold, sellHold, type Hold, type HoldDecision } from './domain/hold.js';
import { available, type Stock, type StockChange, type StockLine } from './domain/stock.js';
import { stockLevelChanged } from './inventory.events.js';
import { decisionValues, WRITE_DECISIONS } from './stock.statements.js';

/** What may be asked about an order's hold. */
export type HoldCommand =
  | { readonly name: 'hold'; readonly orderId: string; readonly lines: readonly StockLine[] }
  | { readonly name: 'release' | 'sell'; readonly orderId: string };

export class LockedStock {
  private readonly shelf: Map<string, Stock>;
  private readonly holds: Map<string, Hold>;
  private readonly changes: StockChange[] = [];

  constructor(
    private readonly lockedStock: readonly Stock[],
    private readonly lockedHolds: readonly Hold[] = [],
  ) {
    this.shelf = new Map(lockedStock.map((stock) => [stock.sku, stock]));
    this.holds = new Map(lockedHolds.map((hold) => [hold.orderId, hold]));
  }

  decide(command: HoldCommand): Hold {
    const { hold, changes } = this.decisionOn(command);
    this.holds.set(hold.orderId, hold);
    this.apply(changes);
    return hold;
  }

  apply(changes: readonly StockChange[]): void {
    for (const change of changes) {
      this.shelf.set(change.stock.sku, change.stock);
      this.changes.push(change);
    }
  }

  /** Writes the last state of what changed; an event for each SKU of which another number can be sold now. */
  async write(tx: Transaction): Promise<void> {
    const stock = this.lockedStock.flatMap((before) => changed(before, this.shelf.get(before.sku)));
    const known = new Map(this.lockedHolds.map((hold) => [hold.orderId, hold]));
    const firstHolds = [...this.holds.values()].filter(({ orderId }) => !known.has(orderId));
    const changedHolds = this.lockedHolds.flatMap((before) => changed(before, this.holds.get(before.orderId)));
    const movements = this.changes.map(({ movement }) => movement);
    if (movements.length + firstHolds.length + changedHolds.length === 0) return;
    const before = new Map(this.lockedStock.map((row) => [row.sku, available(row)]));
    const levels = stock.filter((after) => available(after) !== before.get(after.sku));
    await Promise.all([
      tx.query(WRITE_DECISIONS, decisionValues({ stock, firstHolds, changedHolds, movements })),
      appendToOutbox(tx, levels.map(stockLevelChanged)),
    ]);
  }

  private decisionOn(command: HoldCommand): HoldDecision {
    const existing = this.holds.get(command.orderId);
    switch (command.name) {
      case 'hold':
        return decideHold(this.shelf, existing, command);
      case 'release':
        return releaseHold(this.shelf, existing, command.orderId);
      case 'sell':
        return sellHold(this.shelf, existing, command.orderId);
    }
  }
}

function changed<T>(before: T, after: T | undefined): T[] {
  return after === undefined || after === before ? [] : [after];
}
