/**
 * Stock, holds and the ledger of movements. Each transaction locks the stock it decides on, decides in memory by the
 * rules of domain/, and writes counters, holds, movements and events together or not at all: what is held is never more
 * than what is on hand, however many callers and replicas there are. Requests that arrive while one transaction is under
 * way are decided together in the next, in the order of their arrival, with the same few statements for any number.
 * Answers of hold and release may be asked for again and stay the same. Does not know when an order ends: holds have no
 * clock.
 */
import { randomUUID } from 'node:crypto';
import { Batcher } from '@souk/batching';
import type { OutboxRelay } from '@souk/outbox';
import { isUniqueViolation, type Database, type Transaction } from '@souk/postgres';
import type { Hold } from './domain/hold.js';
import { countStock, openStock, type Stock, type StockLine } from './domain/stock.js';
import type { Opening } from './inventory.events.js';
import { LockedStock, type HoldCommand } from './locked-stock.js';
import {
  LOCK_HOLDS,
  LOCK_STOCK,
  OPEN_STOCK,
  SELECT_COUNT,
  SELECT_MOVEMENTS,
  SELECT_STOCK,
  toHold,
  toStock,
  type HoldRow,
  type MovementRow,
  type StockRow,
} from './stock.statements.js';

const NEWEST = 2n ** 63n - 1n;
const TRIES = 3;

/** A count of one SKU; with the same key it is done once. */
export interface CountRequest {
  readonly sku: string;
  readonly onHand: number;
  readonly expectedVersion?: number;
  /** Key of the request; made where it is left out. */
  readonly requestId?: string;
}

export class StockStore {
  private readonly batcher = new Batcher((commands: HoldCommand[]) => this.decideTogether(commands));

  constructor(
    private readonly database: Database,
    private readonly relay: Pick<OutboxRelay, 'wake'>,
  ) {}

  /** Sets all lines aside for the order, or none. */
  hold(orderId: string, lines: readonly StockLine[]): Promise<Hold> {
    return this.batcher.add({ name: 'hold', orderId, lines });
  }

  /** Ends the order's hold, also before there is one. */
  release(orderId: string): Promise<Hold> {
    return this.batcher.add({ name: 'release', orderId });
  }

  /** Turns the orders' holds into sales, in the transaction of the caller. */
  async sell(tx: Transaction, orderIds: readonly string[]): Promise<void> {
    await decideAll(
      tx,
      orderIds.map((orderId) => ({ name: 'sell', orderId })),
    );
  }

  /** Opens the SKUs that are not known yet, in the transaction of the caller; leaves known ones alone. */
  async open(tx: Transaction, openings: readonly Opening[]): Promise<void> {
    const first = new Map([...openings].reverse().map((opening) => [opening.sku, opening]));
    const opened = (await tx.query<StockRow>(OPEN_STOCK, [[...first.keys()]])).map(toStock);
    const locked = new LockedStock(opened);
    for (const { sku } of opened) {
      const opening = first.get(sku);
      if (opening) locked.apply([openStock(sku, opening.openingStock, opening.cause)]);
    }
    await locked.write(tx);
  }

  /**
   * Sets the units on hand to what was counted; opens the SKU where it is not known.
   * @throws DomainError VERSION_MISMATCH, STOCK_BELOW_HELD
   */
  async count(request: CountRequest): Promise<Stock> {
    const cause = request.requestId ?? randomUUID();
    const stock = await this.database.transaction(async (tx) => {
      const [, rows, done] = await Promise.all([
        tx.query(OPEN_STOCK, [[request.sku]]),
        tx.query<StockRow>(LOCK_STOCK, [[request.sku], []]),
        tx.query(SELECT_COUNT, [cause, request.sku]),
      ]);
      const [current] = rows.map(toStock);
      if (!current) throw new Error(`SKU ${request.sku} was opened and is not there.`);
      if (done.length > 0) return current;
      const locked = new LockedStock([current]);
      const change = countStock(current, { ...request, cause });
      locked.apply([change]);
      await locked.write(tx);
      return change.stock;
    });
    this.relay.wake();
    return stock;
  }

  /** The stock of those SKUs that are known. */
  async get(skus: readonly string[]): Promise<Stock[]> {
    return (await this.database.query<StockRow>(SELECT_STOCK, [skus])).map(toStock);
  }

  /** Movements of a SKU before the given one, newest first. */
  movements(sku: string, { limit, before = NEWEST }: { limit: number; before?: bigint }): Promise<MovementRow[]> {
    return this.database.query<MovementRow>(SELECT_MOVEMENTS, [sku, before, limit]);
  }

  /** Another replica may give one of the orders its first hold at the same time: then the answer is decided again. */
  private async decideTogether(commands: HoldCommand[]): Promise<Hold[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const holds = await this.database.transaction((tx) => decideAll(tx, commands));
        this.relay.wake();
        return holds;
      } catch (error) {
        if (attempt === TRIES || !isUniqueViolation(error, 'holds_pkey')) throw error;
      }
    }
  }
}

async function decideAll(tx: Transaction, commands: readonly HoldCommand[]): Promise<Hold[]> {
  const locked = await lock(tx, commands);
  const holds = commands.map((command) => locked.decide(command));
  await locked.write(tx);
  return holds;
}

async function lock(tx: Transaction, commands: readonly HoldCommand[]): Promise<LockedStock> {
  const skus = commands.flatMap((command) => (command.name === 'hold' ? command.lines.map(({ sku }) => sku) : []));
  const ending = commands.filter(({ name }) => name !== 'hold').map(({ orderId }) => orderId);
  const [holds, stock] = await Promise.all([
    tx.query<HoldRow>(LOCK_HOLDS, [commands.map(({ orderId }) => orderId)]),
    tx.query<StockRow>(LOCK_STOCK, [skus, ending]),
  ]);
  return new LockedStock(stock.map(toStock), holds.map(toHold));
}
