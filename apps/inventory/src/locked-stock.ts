/**
 * The locked rows of one transaction and what was decided on them so far. Commands are decided one after the other, each
 * on what the ones before have left; `write` then costs two statements for any number of them, and a third where carts
 * are concerned.
 */
import { appendToOutbox } from '@souk/outbox';
import type { Transaction } from '@souk/postgres';
import { cartDecisionValues, WRITE_CART_HOLDS } from './cart-holds.statements.js';
import { decideCartHold, expireCart, releaseCart, type CartDecision, type CartHold } from './domain/cart-hold.js';
import { decideHold, releaseHold, sellHold, type Hold, type HoldDecision } from './domain/hold.js';
import type { Shortage } from './domain/shelf.js';
import { available, type Movement, type Stock, type StockChange } from './domain/stock.js';
import { stockLevelChanged } from './inventory.events.js';
import { LockedRows } from './locked-rows.js';
import type { CartCommand, OrderCommand } from './stock-commands.js';
import { decisionValues, WRITE_DECISIONS } from './stock.statements.js';

/** The rows of a transaction, locked. */
export interface Locked {
  readonly stock: readonly Stock[];
  readonly holds?: readonly Hold[];
  readonly cartHolds?: readonly CartHold[];
  /** The database's time; read where a command measures it. */
  readonly now?: Date;
}

export class LockedStock {
  private readonly shelf: Map<string, Stock>;
  private readonly holds: LockedRows<Hold>;
  private readonly cartHolds: LockedRows<CartHold>;
  private readonly now: Date;
  private readonly movements: Movement[] = [];
  private readonly short = new Set<string>();

  constructor(private readonly locked: Locked) {
    this.shelf = new Map(locked.stock.map((stock) => [stock.sku, stock]));
    this.holds = new LockedRows(locked.holds ?? [], ({ orderId }) => orderId);
    this.cartHolds = new LockedRows(locked.cartHolds ?? [], ({ cartId }) => cartId);
    this.now = locked.now ?? new Date(0);
  }

  /** SKUs of which there were too few for a command. */
  get shortSkus(): string[] {
    return [...this.short];
  }

  decide(command: OrderCommand): Hold {
    const existing = this.holds.get(command.orderId);
    const { hold, changes, cartTaken } = this.decisionOn(command, existing);
    if (hold !== existing) this.noteShort(hold.shortages);
    this.holds.set(command.orderId, hold);
    if (cartTaken && command.name === 'hold') this.cartHolds.set(command.cartId ?? '', undefined);
    this.apply(changes);
    return hold;
  }

  decideCart(command: CartCommand): CartDecision {
    const decision = this.decisionOnCart(command);
    this.noteShort(decision.shortages);
    this.cartHolds.set(command.cartId, decision.cartHold);
    this.apply(decision.changes);
    return decision;
  }

  apply(changes: readonly StockChange[]): void {
    for (const { stock, movement } of changes) {
      this.shelf.set(stock.sku, stock);
      this.movements.push(movement);
    }
  }

  /** Writes the last state of what changed; an event for each SKU of which another number can be sold now. */
  async write(tx: Transaction): Promise<void> {
    const { movements, holds, cartHolds } = this;
    const decided = movements.length + holds.first.length + holds.changed.length > 0;
    const levels = this.locked.stock.flatMap((before) => {
      const after = this.shelf.get(before.sku) ?? before;
      return available(after) === available(before) ? [] : [after];
    });
    await Promise.all([
      decided &&
        tx.query(WRITE_DECISIONS, decisionValues({ movements, firstHolds: holds.first, changedHolds: holds.changed })),
      cartHolds.differ && tx.query(WRITE_CART_HOLDS, cartDecisionValues(cartHolds)),
      appendToOutbox(tx, levels.map(stockLevelChanged)),
    ]);
  }

  private decisionOn(command: OrderCommand, existing: Hold | undefined): HoldDecision {
    switch (command.name) {
      case 'hold':
        return decideHold(this.shelf, existing, command, this.cartHolds.get(command.cartId ?? ''));
      case 'release':
        return releaseHold(this.shelf, existing, command.orderId);
      case 'sell':
        return sellHold(this.shelf, existing, command.orderId);
    }
  }

  private decisionOnCart(command: CartCommand): CartDecision {
    const existing = this.cartHolds.get(command.cartId);
    switch (command.name) {
      case 'holdCart': {
        const expiresAt = new Date(this.now.getTime() + command.timeToLiveMs);
        const { cartId, holdId, lines } = command;
        return decideCartHold(this.shelf, existing, { cartId, holdId, lines, expiresAt });
      }
      case 'releaseCart':
        return releaseCart(this.shelf, existing);
      case 'expireCart':
        return expireCart(this.shelf, existing, this.now);
    }
  }

  private noteShort(shortages: readonly Shortage[]): void {
    for (const { sku } of shortages) this.short.add(sku);
  }
}
