/**
 * Orders in Postgres. Guarantees: an order, its claim, its saga and its events are written in one transaction; one order
 * per key and one live order per cart, and of a customer's carts with the same lines one is being ordered at a time; a
 * change is written only on top of the version it was made from and, where it is the saga's, only by the holder of the
 * newest epoch. Writes that arrive while one is under way go together in the next transaction, so that many orders cost
 * one commit. Does not tell who may see an order.
 */
import { Batcher } from '@souk/batching';
import { claimOnce, type AnswerCodec, type Claim } from '@souk/idempotency';
import { appendToOutbox, type OutboxEvent } from '@souk/outbox';
import type { Database, Transaction } from '@souk/postgres';
import { callContext } from '@souk/telemetry';
import type { Change, Order } from './domain/order.js';
import { orderNotFound } from './domain/order-errors.js';
import type { OrderState } from './domain/order-state.js';
import { toOutboxEvent } from './orders.events.js';
import { guestKey, linesDigest, toOrder, toRow, type OrderRow, type RowDocument } from './orders.rows.js';
import * as statements from './orders.statements.js';
import type { SagaTask } from './sagas.store.js';

/** An order to write for the first time. */
export interface Placement {
  readonly change: Change;
  readonly claim: Claim;
  /** Version of the cart that it was made from; undefined where it was not made from a cart. */
  readonly cartVersion?: number;
}

/** What to make of one order. */
export interface Update {
  readonly orderId: string;
  readonly fn: (order: Order) => Change;
}

export interface Updated {
  readonly order: Order;
  /** The right to run the order's saga, where the change left something to undo. */
  readonly task?: SagaTask;
}

export interface ListFilter {
  readonly customerId?: string;
  readonly state?: OrderState;
  /** Lists the orders that are older than this one. */
  readonly before?: string;
  readonly limit: number;
}

export interface OrdersStoreOptions {
  /** How long the writer of an order may run its saga before another may take it over. */
  readonly leaseMs: number;
  /** The newest version of the saga that this process knows. */
  readonly sagaVersion: number;
  /** Called after each transaction that wrote events. */
  readonly onCommitted: () => void;
}

interface Insert extends Omit<Placement, 'change'> {
  readonly order: Order;
  readonly events: readonly OutboxEvent[];
}

/** A change to write, if nothing else was written since. */
interface Save {
  readonly order: Order;
  readonly events: readonly OutboxEvent[];
  /** Set by the saga: its right to write. */
  readonly epoch?: number;
  /** Whether the change leaves work, and its writer does it. */
  readonly takesSaga?: boolean;
}

interface Saved {
  readonly order_id: string;
  readonly saga_epoch: number;
  readonly saga_version: number;
}

const FIRST_EPOCH = 1;
const SAVE_TRIES = 5;
/** What is kept of a change is that it was made; what the order is now, its row tells. */
const MADE: AnswerCodec<Updated | undefined> = { toJSON: () => ({}), fromJSON: () => undefined };

export class OrdersStore {
  private readonly inserts = new Batcher<Insert, boolean>((batch) => this.insertAll(batch));
  private readonly saves = new Batcher<Save, Saved | undefined>((batch) => this.saveAll(batch));

  constructor(
    private readonly database: Database,
    private readonly options: OrdersStoreOptions,
  ) {}

  /** Writes a new order. @returns the task to run its saga, or undefined where its key, cart, lines or number were taken, or its cart changed */
  async insert({ change, claim, cartVersion }: Placement): Promise<SagaTask | undefined> {
    const inserted = await this.inserts.add({ ...written(change), claim, cartVersion });
    return inserted ? { order: change.order, epoch: FIRST_EPOCH, failures: 0, faults: 0 } : undefined;
  }

  /** Writes a saga's change. @returns false where the saga was taken over or the order changed meanwhile */
  async saveStep(change: Change, epoch: number): Promise<boolean> {
    return (await this.saves.add({ ...written(change), epoch })) !== undefined;
  }

  /**
   * Loads, changes and saves an order as one step. With a claim this happens once for it: whoever comes again gets the order as
   * it is then, or the refusal that `fn` threw.
   */
  async update(orderId: string, fn: Update['fn'], claim?: Claim): Promise<Updated & { readonly replayed: boolean }> {
    if (!claim) return { ...(await this.updateFreely({ orderId, fn })), replayed: false };
    const work = async (tx: Transaction): Promise<Updated> => {
      const [updated] = await this.updateIn(tx, [{ orderId, fn }], this.options.leaseMs);
      if (!updated) throw orderNotFound();
      return updated;
    };
    const { answer, replayed } = await this.database.transaction((tx) => claimOnce(tx, claim, MADE, () => work(tx)));
    this.options.onCommitted();
    return { ...(answer ?? { order: await this.get(orderId) }), replayed };
  }

  /**
   * Changes orders one after the other, in a transaction of the caller's; orders that do not exist are left out.
   * @param leaseMs how long the caller may run the sagas that this leaves; 0 leaves them to whoever comes first
   */
  async updateIn(tx: Transaction, updates: readonly Update[], leaseMs: number): Promise<Updated[]> {
    const rows = await tx.query<OrderRow>(statements.LOCK, [updates.map(({ orderId }) => orderId)]);
    const orders = new Map(rows.map((row) => [row.order_id, toOrder(row)]));
    const all: Updated[] = [];
    for (const { orderId, fn } of updates) {
      const before = orders.get(orderId);
      if (!before) continue;
      const updated = await this.changeLocked(tx, before, fn(before), leaseMs);
      orders.set(orderId, updated.order);
      all.push(updated);
    }
    return all;
  }

  /** @throws DomainError ORDER_NOT_FOUND */
  async get(orderId: string): Promise<Order> {
    const [row] = await this.database.query<OrderRow>(statements.GET, [orderId]);
    if (!row) throw orderNotFound();
    return toOrder(row);
  }

  /** Newest first. */
  async list({ customerId, state, before, limit }: ListFilter): Promise<Order[]> {
    const values = [customerId ?? null, state ?? null, before ?? null, limit];
    return (await this.database.query<OrderRow>(statements.LIST, values)).map(toOrder);
  }

  /** `fn` is called again where another wrote in between. */
  private async updateFreely({ orderId, fn }: Update): Promise<Updated> {
    for (let attempt = 1; attempt <= SAVE_TRIES; attempt++) {
      const before = await this.get(orderId);
      const change = fn(before);
      if (change.order === before) return { order: before };
      const save = toSave(before, change);
      const saved = await this.saves.add(save);
      if (saved) return this.toUpdated(save, saved);
    }
    throw new Error(`Order ${orderId} kept changing.`);
  }

  private async insertAll(batch: readonly Insert[]): Promise<boolean[]> {
    const inserted = await this.database.transaction(async (tx) => {
      const current = await withCurrentCarts(tx, batch);
      const rows = JSON.stringify(current.map((insert) => this.toNewRow(insert)));
      const written = await tx.query<{ order_id: string }>(statements.INSERT, [rows, this.options.leaseMs]);
      const ids = new Set(written.map((row) => row.order_id));
      const fresh = batch.filter(({ order }) => ids.has(order.orderId));
      await appendToOutbox(
        tx,
        fresh.flatMap(({ events }) => events),
      );
      return ids;
    });
    this.options.onCommitted();
    return batch.map(({ order }) => inserted.has(order.orderId));
  }

  private async saveAll(batch: readonly Save[]): Promise<(Saved | undefined)[]> {
    const candidates = firstPerOrder(batch);
    const saved = await this.database.transaction((tx) => this.saveIn(tx, candidates, this.options.leaseMs));
    this.options.onCommitted();
    return batch.map((save) => saved.get(save));
  }

  /** @returns what was written; the others were made from an older version, or by a saga that was taken over */
  private async saveIn(tx: Transaction, saves: readonly Save[], leaseMs: number): Promise<Map<Save, Saved>> {
    const ids = saves.map(({ order }) => order.orderId);
    const takers = saves.filter(({ takesSaga }) => takesSaga).map(({ order }) => order.orderId);
    const values = [JSON.stringify(saves.map(toChangedRow)), ids, takers, leaseMs];
    const rows = await tx.query<Saved>(statements.UPDATE, values);
    const byOrder = new Map(rows.map((row) => [row.order_id, row]));
    const saved = new Map(
      saves.flatMap((save) => {
        const row = byOrder.get(save.order.orderId);
        return row ? [[save, row]] : [];
      }),
    );
    await appendToOutbox(
      tx,
      [...saved.keys()].flatMap(({ events }) => events),
    );
    return saved;
  }

  private async changeLocked(tx: Transaction, before: Order, change: Change, leaseMs: number): Promise<Updated> {
    if (change.order === before) return { order: before };
    const save = toSave(before, change);
    const saved = (await this.saveIn(tx, [save], leaseMs)).get(save);
    if (!saved) throw new Error(`Order ${before.orderId} changed under its lock.`);
    return this.toUpdated(save, saved);
  }

  /** A saga of a version that is not known here is left to those who know it, as soon as its lease ends. */
  private toUpdated({ order, takesSaga }: Save, { saga_epoch: epoch, saga_version: version }: Saved): Updated {
    const isOurs = takesSaga && version <= this.options.sagaVersion;
    return { order, ...(isOurs && { task: { order, epoch, failures: 0, faults: 0 } }) };
  }

  private toNewRow({ order, claim }: Insert): RowDocument {
    return {
      ...toRow(order),
      lines_digest: linesDigest(order),
      guest_key: guestKey(order),
      claim_principal: claim.principal,
      claim_key: claim.key,
      claim_fingerprint: claim.fingerprint,
      saga_version: this.options.sagaVersion,
      saga_epoch: FIRST_EPOCH,
      saga_failures: 0,
    };
  }
}

/** Turns facts into events here, in the caller's context: a batch serves many callers, each with a trace of its own. */
function written({ order, events }: Change): { order: Order; events: readonly OutboxEvent[] } {
  const { traceparent } = callContext();
  return { order, events: events.map((event) => ({ ...toOutboxEvent(event), traceparent })) };
}

function toSave(before: Order, change: Change): Save {
  return { ...written(change), takesSaga: before.phase === 'DONE' && change.order.phase !== 'DONE' };
}

/** Locks the carts of the batch, and leaves out orders whose cart was changed or deleted since it was read. */
async function withCurrentCarts(tx: Transaction, batch: readonly Insert[]): Promise<Insert[]> {
  const cartIds = batch.flatMap(({ order, cartVersion }) => (cartVersion ? [order.cartId] : []));
  if (cartIds.length === 0) return [...batch];
  const rows = await tx.query<{ cart_id: string; version: number }>(statements.LOCK_CARTS, [cartIds]);
  const versions = new Map(rows.map((row) => [row.cart_id, row.version]));
  return batch.filter(({ order, cartVersion }) => !cartVersion || versions.get(order.cartId ?? '') === cartVersion);
}

/** Two changes of one order can't both follow its present version: the later one comes back as not written. */
function firstPerOrder(batch: readonly Save[]): Save[] {
  const seen = new Set<string>();
  return batch.filter(({ order }) => !seen.has(order.orderId) && seen.add(order.orderId));
}

/** In an update `saga_epoch` is the epoch to check. */
function toChangedRow({ order, epoch }: Save): RowDocument {
  return { ...toRow(order), saga_epoch: epoch ?? null };
}
