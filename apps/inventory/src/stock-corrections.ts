/**
 * What staff say about the units on hand. A correction is decided on the locked row, like every sale: one that meets
 * holds is applied or refused, and never lost. With a key it is done once and its answer, also a refusal, stays the same;
 * the ledger remembers the key when the answer is forgotten.
 */
import { randomUUID } from 'node:crypto';
import { claimOnce, type AnswerCodec, type Claim, type Claimed } from '@souk/idempotency';
import type { OutboxRelay } from '@souk/outbox';
import { isUniqueViolation, type Database, type Transaction } from '@souk/postgres';
import { requestIdReused, skuNotFound } from './domain/inventory-errors.js';
import { adjustStock, countStock, type Stock, type StockChange } from './domain/stock.js';
import { LockedStock } from './locked-stock.js';
import { LOCK_STOCK, OPEN_STOCK, toStock, type StockRow } from './stock.statements.js';

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
   * Sets the units on hand to what was counted; opens the SKU where it is not known.
   * @param by who counted, and with which key; without a key each call is a count of its own
   * @throws DomainError VERSION_MISMATCH, STOCK_BELOW_HELD, REQUEST_ID_REUSED
   */
  count(request: CountRequest, by: Claim): Promise<Claimed<Stock>> {
    return this.once(by, async (tx, cause) => {
      await tx.query(OPEN_STOCK, [[request.sku]]);
      return correct(tx, request.sku, (stock) => countStock(stock, { ...request, cause }));
    });
  }

  /**
   * Adds units to what is on hand, or takes some off.
   * @throws DomainError SKU_NOT_FOUND, STOCK_BELOW_HELD, REQUEST_ID_REUSED
   */
  adjust(request: AdjustmentRequest, by: Claim): Promise<Claimed<Stock>> {
    return this.once(by, (tx, cause) => correct(tx, request.sku, (stock) => adjustStock(stock, { ...request, cause })));
  }

  private async once(claim: Claim, work: (tx: Transaction, cause: string) => Promise<Stock>): Promise<Claimed<Stock>> {
    const { principal, key } = claim;
    const claimed = await this.database.transaction(async (tx) => {
      if (key === '') return { answer: await work(tx, `${principal}:${randomUUID()}`), replayed: false };
      return claimOnce(tx, claim, STOCK, () => work(tx, `${principal}:${key}`));
    });
    this.relay.wake();
    return claimed;
  }
}

async function correct(tx: Transaction, sku: string, decide: (stock: Stock) => StockChange): Promise<Stock> {
  const [stock] = (await tx.query<StockRow>(LOCK_STOCK, [[sku], [], []])).map(toStock);
  if (!stock) throw skuNotFound(sku);
  const locked = new LockedStock({ stock: [stock] });
  const change = decide(stock);
  locked.apply([change]);
  try {
    await locked.write(tx);
  } catch (error) {
    throw isUniqueViolation(error, 'movements_once') ? requestIdReused() : error;
  }
  return change.stock;
}
