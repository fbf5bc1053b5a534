/**
 * Stock, holds and the ledger of movements. Each transaction locks the stock it decides on, decides in memory by the
 * rules of domain/, and writes counters, holds, movements and events together or not at all: what is held is never more
 * than what is on hand, however many callers and replicas there are. Requests that arrive while one transaction is under
 * way are decided together in the next, in the order of their arrival, with the same few statements for any number.
 * Answers of hold and release may be asked for again and stay the same. Does not know when an order ends: its hold has no
 * clock. What a cart holds ends by the database's clock, also where nobody sweeps: nothing is refused for want of units
 * that a cart holds whose time is up.
 */
import { Batcher } from '@souk/batching';
import type { OutboxRelay } from '@souk/outbox';
import { isUniqueViolation, uuidv7, type Database, type Transaction } from '@souk/postgres';
import { metrics } from '@souk/telemetry';
import { FIND_EXPIRED_OF_SKUS, LOCK_EXPIRED_OF_SKUS, TAKE_EXPIRED } from './cart-holds.statements.js';
import type { CartDecision } from './domain/cart-hold.js';
import type { Hold } from './domain/hold.js';
import { openStock, type Stock, type StockLine } from './domain/stock.js';
import type { Opening } from './inventory.events.js';
import { lockStock } from './lock-stock.js';
import { LockedStock } from './locked-stock.js';
import type { CartCommand, OrderCommand, StockCommand } from './stock-commands.js';
import {
  OPEN_STOCK,
  SELECT_HELD,
  SELECT_HOLDS,
  SELECT_MOVEMENTS,
  SELECT_STOCK,
  toStock,
  type DatedHoldRow,
  type MovementRow,
  type StockRow,
} from './stock.statements.js';

const NEWEST = 2n ** 63n - 1n;
const TRIES = 3;
const MOST_EXPIRED = 500;

const holds = metrics.counter('inventory_holds_total');

export class StockStore {
  private readonly orders = new Batcher((commands: OrderCommand[]) =>
    this.decideTogether(commands, (locked, command) => locked.decide(command)),
  );
  private readonly carts = new Batcher((commands: CartCommand[]) =>
    this.decideTogether(commands, (locked, command) => locked.decideCart(command)),
  );

  constructor(
    private readonly database: Database,
    private readonly relay: Pick<OutboxRelay, 'wake'>,
  ) {}

  /** Sets all lines aside for the order, or none. What its cart holds becomes part of it. */
  async hold(orderId: string, lines: readonly StockLine[], cartId?: string): Promise<Hold> {
    const hold = await this.orders.add({ name: 'hold', orderId, lines, cartId });
    holds.inc({ outcome: hold.state });
    return hold;
  }

  /** Ends the order's hold, also before there is one. */
  release(orderId: string): Promise<Hold> {
    return this.orders.add({ name: 'release', orderId });
  }

  /** Sets all lines aside for the cart and for so long, in place of what it holds, or changes nothing. */
  holdCart(cartId: string, lines: readonly StockLine[], timeToLiveMs: number): Promise<CartDecision> {
    return this.carts.add({ name: 'holdCart', cartId, holdId: uuidv7(), lines, timeToLiveMs });
  }

  /** Sets free what the cart holds. */
  async releaseCart(cartId: string): Promise<void> {
    await this.carts.add({ name: 'releaseCart', cartId });
  }

  /** Turns the orders' holds into sales, in the transaction of the caller. */
  async sell(tx: Transaction, orderIds: readonly string[]): Promise<void> {
    const commands = orderIds.map((orderId) => ({ name: 'sell' as const, orderId }));
    const locked = await lockStock(tx, commands);
    for (const command of commands) locked.decide(command);
    await locked.write(tx);
  }

  /** Opens the SKUs that are not known yet, in the transaction of the caller; leaves known ones alone. */
  async open(tx: Transaction, openings: readonly Opening[]): Promise<void> {
    const first = new Map([...openings].reverse().map((opening) => [opening.sku, opening]));
    const opened = (await tx.query<StockRow>(OPEN_STOCK, [[...first.keys()]])).map(toStock);
    const locked = new LockedStock({ stock: opened });
    for (const { sku } of opened) {
      const opening = first.get(sku);
      if (opening) locked.apply([openStock(sku, opening.openingStock, opening.cause)]);
    }
    await locked.write(tx);
  }

  /** Sets free what carts hold whose time is up, at most so many, and leaves alone what others are at. @returns how many */
  expireCarts(limit: number): Promise<number> {
    return this.expire((tx) => tx.query(TAKE_EXPIRED, [limit]));
  }

  /** The stock of those SKUs that are known. */
  async get(skus: readonly string[]): Promise<Stock[]> {
    return (await this.database.query<StockRow>(SELECT_STOCK, [skus])).map(toStock);
  }

  /** The holds of those orders that have one. */
  holdsOf(orderIds: readonly string[]): Promise<DatedHoldRow[]> {
    return this.database.query<DatedHoldRow>(SELECT_HOLDS, [orderIds]);
  }

  /** Holds that are HELD and were made before the moment, by order, after the given one. */
  held(before: Date, { limit, after = '' }: { limit: number; after?: string }): Promise<DatedHoldRow[]> {
    return this.database.query<DatedHoldRow>(SELECT_HELD, [before, after, limit]);
  }

  /** Movements of a SKU before the given one, newest first. */
  movements(sku: string, { limit, before = NEWEST }: { limit: number; before?: bigint }): Promise<MovementRow[]> {
    return this.database.query<MovementRow>(SELECT_MOVEMENTS, [sku, before, limit]);
  }

  /**
   * Decides again where another replica made the first hold of an order or a cart at the same time, as there was no row to
   * lock, and where units are short that carts hold whose time is up: those are set free first, each time at least one.
   */
  private async decideTogether<C extends StockCommand, D>(
    commands: C[],
    decide: (locked: LockedStock, command: C) => D,
  ): Promise<D[]> {
    for (let conflicts = 0; ;) {
      try {
        const decisions = await this.database.transaction(async (tx) => {
          const locked = await lockStock(tx, commands);
          const decided = commands.map((command) => decide(locked, command));
          await Promise.all([locked.write(tx), refuseWhileExpired(tx, locked.shortSkus)]);
          return decided;
        });
        this.relay.wake();
        return decisions;
      } catch (error) {
        if (error instanceof ExpiredHoldsLeft) await this.expireOf(error.skus);
        else if (!isDecidedElsewhere(error) || ++conflicts === TRIES) throw error;
      }
    }
  }

  /** Waits for the holds that others are at, as they are locked in the order that all keep to. */
  private expireOf(skus: readonly string[]): Promise<number> {
    return this.expire((tx) => tx.query(LOCK_EXPIRED_OF_SKUS, [skus, MOST_EXPIRED]));
  }

  private async expire(take: (tx: Transaction) => Promise<{ cart_id: string }[]>): Promise<number> {
    const count = await this.database.transaction(async (tx) => {
      const commands = (await take(tx)).map((row) => ({ name: 'expireCart' as const, cartId: row.cart_id }));
      if (commands.length === 0) return 0;
      const locked = await lockStock(tx, commands);
      for (const command of commands) locked.decideCart(command);
      await locked.write(tx);
      return commands.length;
    });
    if (count > 0) this.relay.wake();
    return count;
  }
}

class ExpiredHoldsLeft extends Error {
  constructor(readonly skus: readonly string[]) {
    super('Carts whose time is up hold units that are short.');
  }
}

/** Undoes the transaction that refused something for want of units which need not be wanting. */
async function refuseWhileExpired(tx: Transaction, shortSkus: readonly string[]): Promise<void> {
  if (shortSkus.length === 0) return;
  const expired = await tx.query(FIND_EXPIRED_OF_SKUS, [shortSkus]);
  if (expired.length > 0) throw new ExpiredHoldsLeft(shortSkus);
}

/** The ledger may notice first: it takes what one cause does to a SKU once. */
function isDecidedElsewhere(error: unknown): boolean {
  return ['holds_pkey', 'cart_holds_pkey', 'movements_once'].some((constraint) => isUniqueViolation(error, constraint));
}
