/**
 * What staff say about the units on hand. A correction is decided on the locked row, like every sale: one that meets
 * holds is applied or refused, and never lost. With a key it is done once and its answer, also a refusal, stays the same;
 * the ledger remembers the key when the answer is forgotten.
 */
import { randomUUID } from 'node:crypto';
import { claimOnce, type AnswerCodec, type Claim, type Claimed } from '@souk/idempotency';
import { appendToOutbox, type OutboxRelay } from '@souk/outbox';
import { isUniqueViolation, type Database, type Transaction } from '@souk/postgres';
import { requestIdReused, skuNotFound } from './domain/inventory-errors.js';
import {
  adjustStock,
  countStock,
  recountStock,
  type Movement,
  type Stock,
  type StockChange,
  type StockRecords,
} from './domain/stock.js';
import { stockLevelChanged } from './inventory.events.js';
import { LockedStock } from './locked-stock.js';
import { SELECT_RECORDS_THAT_DISAGREE } from './stock-checks.js';
import { decisionValues, LOCK_STOCK, OPEN_STOCK, toStock, WRITE_DECISIONS, type StockRow } from './stock.statements.js';

export interface CountRequest {
  readonly sku: string;
  readonly onHand: number;
  readonly expectedVersion?: number;
}

export interface AdjustmentRequest {
  readonly sku: string;
  readonly delta: number;
  readonly reason: string;
}

const STOCK: AnswerCodec<Stock> = { toJSON: (stock) => stock, fromJSON: (json) => json as Stock };

export class StockCorrections {
  constructor(
    private readonly database: Database,
    private readonly relay: Pick<OutboxRelay, 'wake'>,
  ) {}

  /**
   * Sets the units on hand to what was counted; opens the SKU where it is not known. Where a check found its counters and
   * records to disagree, what was counted and what is held become the truth, and both say so.
   * @param by who counted, and with which key; without a key each call is a count of its own
   * @throws DomainError VERSION_MISMATCH, STOCK_BELOW_HELD, REQUEST_ID_REUSED
   */
  count(request: CountRequest, by: Claim): Promise<Claimed<Stock>> {
    return this.once(by, async (tx, cause) => {
      await tx.query(OPEN_STOCK, [[request.sku]]);
      const stock = await lock(tx, request.sku);
      const records = await recordsThatDisagree(tx, request.sku);
      if (records) return mend(tx, stock, recountStock(stock, records, { ...request, cause }));
      return correct(tx, stock, countStock(stock, { ...request, cause }));
    });
  }

  /**
   * Adds units to what is on hand, or takes some off.
   * @throws DomainError SKU_NOT_FOUND, STOCK_BELOW_HELD, REQUEST_ID_REUSED
   */
  adjust(request: AdjustmentRequest, by: Claim): Promise<Claimed<Stock>> {
    return this.once(by, async (tx, cause) => {
      const stock = await lock(tx, request.sku);
      return correct(tx, stock, adjustStock(stock, { ...request, cause }));
    });
  }

  private async once(claim: Claim, work: (tx: Transaction, cause: string) => Promise<Stock>): Promise<Claimed<Stock>> {
    const { principal, key } = claim;
    const claimed = await this.database.transaction(async (tx) => {
      if (key === '') return { answer: await work(tx, `${principal}:${randomUUID()}`), replayed: false };
      return claimOnce(tx, claim, STOCK, () => work(tx, `${principal}:${key}`).catch(refuseOldKey));
    });
    this.relay.wake();
    return claimed;
  }
}

/** The ledger has the key already, though its claim is gone. */
function refuseOldKey(error: unknown): never {
  throw isUniqueViolation(error, 'movements_once') ? requestIdReused() : error;
}

async function lock(tx: Transaction, sku: string): Promise<Stock> {
  const [stock] = (await tx.query<StockRow>(LOCK_STOCK, [[sku], [], []])).map(toStock);
  if (!stock) throw skuNotFound(sku);
  return stock;
}

async function correct(tx: Transaction, stock: Stock, change: StockChange): Promise<Stock> {
  const locked = new LockedStock({ stock: [stock] });
  locked.apply([change]);
  await locked.write(tx);
  return change.stock;
}

/** What was written down of the SKU, where a check found that its counters don't agree with it. Its row is locked. */
async function recordsThatDisagree(tx: Transaction, sku: string): Promise<StockRecords | undefined> {
  const [row] = await tx.query<StockRow & { held_units: number }>(SELECT_RECORDS_THAT_DISAGREE, [sku]);
  return row && { moved: toStock(row), heldUnits: row.held_units };
}

async function mend(
  tx: Transaction,
  before: Stock,
  { stock, movements }: { stock: Stock; movements: Movement[] },
): Promise<Stock> {
  const counter = {
    sku: stock.sku,
    onHand: stock.onHand - before.onHand,
    held: stock.held - before.held,
    version: stock.version - before.version,
  };
  await Promise.all([
    tx.query(WRITE_DECISIONS, decisionValues({ movements, counters: [counter] })),
    appendToOutbox(tx, [stockLevelChanged(stock)]),
  ]);
  return stock;
}
