/**
 * Orders in Postgres. Guarantees: an order, its claim, its saga and its events are written in one transaction; one order
 * per key and one live order per cart; a change is written only on top of the version it was made from and, where it is
 * the saga's, only by the holder of the newest epoch. Writes that arrive while one is under way go together in the next
 * transaction, so that many orders cost one commit. Does not tell who may see an order.
 */
import { Batcher } from '@souk/batching';
import { appendToOutbox, type OutboxEvent } from '@souk/outbox';
import { sql, type Database, type Transaction } from '@souk/postgres';
import { callContext } from '@souk/telemetry';
import type { Change, Order } from './domain/order.js';
import { orderNotFound } from './domain/order-errors.js';
import type { OrderState } from './domain/order-state.js';
import { toOutboxEvent } from './orders.events.js';
import { toOrder, toRow, type Claim, type OrderRow, type RowDocument } from './orders.rows.js';

/** An order to write for the first time. */
export interface Placement {
  readonly change: Change;
  readonly claim: Claim;
  /** Version of the cart that it was made from; undefined where it was not made from a cart. */
  readonly cartVersion?: number;
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
  /** Set where the change leaves work: gives the writer the saga for that long. */
  readonly leaseMs?: number;
}

/** A saga that its caller may run, and nobody else until the lease ends. */
export interface SagaTask {
  readonly order: Order;
  readonly epoch: number;
  readonly failures: number;
}

export interface ListFilter {
  readonly customerId?: string;
  readonly state?: OrderState;
  /** Lists the orders that are older than this one. */
  readonly before?: string;
  readonly limit: number;
}

const FIRST_EPOCH = 1;
const SAVE_TRIES = 5;

const COLUMNS = `order_id, number, state, cancel_requested, lines, total_amount, currency, email, shipping_address,
  payment_method, payment_token, customer_id, cart_id, rejection, timeline, version, created_at, updated_at, saga_phase`;

const NEW_COLUMNS = `${COLUMNS}, claim_principal, claim_key, claim_fingerprint, saga_epoch, saga_due_at, saga_failures`;

const INSERT = sql(
  'orders.insert',
  `INSERT INTO orders (${NEW_COLUMNS}) SELECT ${NEW_COLUMNS} FROM json_populate_recordset(NULL::orders, $1::json)
   ON CONFLICT DO NOTHING RETURNING order_id`,
);
const LOCK_CARTS = sql(
  'orders.lock-carts',
  `SELECT cart_id, version FROM carts WHERE cart_id = ANY($1::uuid[]) ORDER BY cart_id FOR UPDATE`,
);
// The list of ids keeps the planner, which knows nothing of the JSON, from reading the whole index.
const UPDATE = sql(
  'orders.update',
  `UPDATE orders AS o
      SET state = u.state, cancel_requested = u.cancel_requested, payment_token = u.payment_token,
          rejection = u.rejection, timeline = u.timeline, version = u.version, updated_at = u.updated_at,
          saga_phase = u.saga_phase, saga_failures = 0, saga_error = NULL,
          saga_epoch = o.saga_epoch + CASE WHEN u.saga_due_at IS NULL THEN 0 ELSE 1 END,
          saga_due_at = COALESCE(u.saga_due_at, o.saga_due_at)
     FROM json_populate_recordset(NULL::orders, $1::json) AS u
    WHERE o.order_id = ANY($2::uuid[]) AND o.order_id = u.order_id AND o.version = u.version - 1
      AND (u.saga_epoch IS NULL OR o.saga_epoch = u.saga_epoch)
   RETURNING o.order_id, o.saga_epoch`,
);
const GET = sql('orders.get', `SELECT ${COLUMNS} FROM orders WHERE order_id = $1`);
const FIND_CLAIM = sql(
  'orders.find-claim',
  `SELECT ${COLUMNS}, claim_fingerprint FROM orders WHERE claim_principal = $1 AND claim_key = $2`,
);
const FIND_BY_CART = sql(
  'orders.find-by-cart',
  `SELECT ${COLUMNS} FROM orders WHERE cart_id = $1 AND state <> 'REJECTED'`,
);
const LIST = sql(
  'orders.list',
  `SELECT ${COLUMNS} FROM orders
    WHERE ($1::uuid IS NULL OR customer_id = $1) AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR order_id < $3)
    ORDER BY order_id DESC LIMIT $4`,
);
const CLAIM_DUE = sql(
  'orders.claim-due',
  `UPDATE orders SET saga_epoch = saga_epoch + 1, saga_due_at = now() + $2 * interval '1 ms'
    WHERE order_id IN (SELECT order_id FROM orders WHERE saga_phase IN ('CHECKOUT', 'UNDO') AND saga_due_at <= now()
                        ORDER BY saga_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING ${COLUMNS}, saga_epoch, saga_failures`,
);
const POSTPONE = sql(
  'orders.postpone',
  `UPDATE orders SET saga_due_at = now() + $3 * interval '1 ms', saga_failures = saga_failures + 1, saga_error = $4,
          saga_phase = CASE WHEN $5 THEN 'PARKED' ELSE saga_phase END
    WHERE order_id = $1 AND saga_epoch = $2`,
);

export class OrdersStore {
  private readonly inserts = new Batcher<Insert, boolean>((batch) => this.insertAll(batch));
  private readonly saves = new Batcher<Save, number | undefined>((batch) => this.saveAll(batch));

  /**
   * @param leaseMs how long the caller may run the order's saga before another may take it over
   * @param onCommitted called after each transaction that wrote events
   */
  constructor(
    private readonly database: Database,
    private readonly leaseMs: number,
    private readonly onCommitted: () => void,
  ) {}

  /** Writes a new order. @returns the task to run its saga, or undefined where its key, cart or number was taken, or its cart changed */
  async insert({ change, claim, cartVersion }: Placement): Promise<SagaTask | undefined> {
    const inserted = await this.inserts.add({ ...written(change), claim, cartVersion });
    return inserted ? { order: change.order, epoch: FIRST_EPOCH, failures: 0 } : undefined;
  }

  /** Writes a saga's change. @returns false where the saga was taken over or the order changed meanwhile */
  async saveStep(change: Change, epoch: number): Promise<boolean> {
    return (await this.saves.add({ ...written(change), epoch })) !== undefined;
  }

  /**
   * Loads, changes and saves an order as one step; `fn` is called again where another wrote in between.
   * @returns the order, with the task to run its saga where the change left something to undo
   */
  async update(orderId: string, fn: (order: Order) => Change): Promise<{ order: Order; task?: SagaTask }> {
    for (let attempt = 1; attempt <= SAVE_TRIES; attempt++) {
      const before = await this.get(orderId);
      const change = fn(before);
      if (change.order === before) return { order: before };
      const takesSaga = before.phase === 'DONE' && change.order.phase === 'UNDO';
      const epoch = await this.saves.add({ ...written(change), ...(takesSaga && { leaseMs: this.leaseMs }) });
      if (epoch === undefined) continue;
      return { order: change.order, ...(takesSaga && { task: { order: change.order, epoch, failures: 0 } }) };
    }
    throw new Error(`Order ${orderId} kept changing.`);
  }

  /** @throws DomainError ORDER_NOT_FOUND */
  async get(orderId: string): Promise<Order> {
    const [row] = await this.database.query<OrderRow>(GET, [orderId]);
    if (!row) throw orderNotFound();
    return toOrder(row);
  }

  async findByClaim(principal: string, key: string): Promise<{ order: Order; fingerprint: string } | undefined> {
    type Row = OrderRow & { claim_fingerprint: string };
    const [row] = await this.database.query<Row>(FIND_CLAIM, [principal, key]);
    return row && { order: toOrder(row), fingerprint: row.claim_fingerprint };
  }

  /** The live order that a cart became. */
  async findByCart(cartId: string): Promise<Order | undefined> {
    const [row] = await this.database.query<OrderRow>(FIND_BY_CART, [cartId]);
    return row && toOrder(row);
  }

  /** Newest first. */
  async list({ customerId, state, before, limit }: ListFilter): Promise<Order[]> {
    const values = [customerId ?? null, state ?? null, before ?? null, limit];
    return (await this.database.query<OrderRow>(LIST, values)).map(toOrder);
  }

  /** Takes over sagas whose owner died or that wait for another try. */
  async claimDue(limit: number): Promise<SagaTask[]> {
    type Row = OrderRow & { saga_epoch: number; saga_failures: number };
    const rows = await this.database.query<Row>(CLAIM_DUE, [limit, this.leaseMs]);
    return rows.map((row) => ({ order: toOrder(row), epoch: row.saga_epoch, failures: row.saga_failures }));
  }

  /** Puts a saga that failed off, or parks it for a person to look at. */
  async postpone(task: SagaTask, delayMs: number, error: string, park: boolean): Promise<void> {
    await this.database.query(POSTPONE, [task.order.orderId, task.epoch, delayMs, error, park]);
  }

  private async insertAll(batch: readonly Insert[]): Promise<boolean[]> {
    const inserted = await this.database.transaction(async (tx) => {
      const current = await withCurrentCarts(tx, batch);
      const rows = JSON.stringify(current.map((insert) => this.toNewRow(insert)));
      const ids = new Set((await tx.query<{ order_id: string }>(INSERT, [rows])).map((row) => row.order_id));
      const fresh = batch.filter(({ order }) => ids.has(order.orderId));
      await appendToOutbox(
        tx,
        fresh.flatMap(({ events }) => events),
      );
      return ids;
    });
    this.onCommitted();
    return batch.map(({ order }) => inserted.has(order.orderId));
  }

  private async saveAll(batch: readonly Save[]): Promise<(number | undefined)[]> {
    const candidates = firstPerOrder(batch);
    const epochs = await this.database.transaction(async (tx) => {
      type Row = { order_id: string; saga_epoch: number };
      const ids = candidates.map(({ order }) => order.orderId);
      const rows = await tx.query<Row>(UPDATE, [JSON.stringify(candidates.map(toChangedRow)), ids]);
      const saved = new Map(rows.map((row) => [row.order_id, row.saga_epoch]));
      const changed = candidates.filter(({ order }) => saved.has(order.orderId));
      await appendToOutbox(
        tx,
        changed.flatMap(({ events }) => events),
      );
      return new Map(changed.map((save) => [save, saved.get(save.order.orderId)]));
    });
    this.onCommitted();
    return batch.map((save) => epochs.get(save));
  }

  private toNewRow({ order, claim }: Insert): RowDocument {
    return {
      ...toRow(order),
      claim_principal: claim.principal,
      claim_key: claim.key,
      claim_fingerprint: claim.fingerprint,
      saga_epoch: FIRST_EPOCH,
      saga_due_at: new Date(Date.now() + this.leaseMs),
      saga_failures: 0,
    };
  }
}

/** Turns facts into events here, in the caller's context: a batch serves many callers, each with a trace of its own. */
function written({ order, events }: Change): { order: Order; events: readonly OutboxEvent[] } {
  const { traceparent } = callContext();
  return { order, events: events.map((event) => ({ ...toOutboxEvent(event), traceparent })) };
}

/** Locks the carts of the batch, and leaves out orders whose cart was changed or deleted since it was read. */
async function withCurrentCarts(tx: Transaction, batch: readonly Insert[]): Promise<Insert[]> {
  const cartIds = batch.flatMap(({ order, cartVersion }) => (cartVersion ? [order.cartId] : []));
  if (cartIds.length === 0) return [...batch];
  const rows = await tx.query<{ cart_id: string; version: number }>(LOCK_CARTS, [cartIds]);
  const versions = new Map(rows.map((row) => [row.cart_id, row.version]));
  return batch.filter(({ order, cartVersion }) => !cartVersion || versions.get(order.cartId ?? '') === cartVersion);
}

/** Two changes of one order can't both follow its present version: the later one comes back as not written. */
function firstPerOrder(batch: readonly Save[]): Save[] {
  const seen = new Set<string>();
  return batch.filter(({ order }) => !seen.has(order.orderId) && seen.add(order.orderId));
}

/** In an update `saga_epoch` is the epoch to check, and `saga_due_at` is given where the writer takes the saga. */
function toChangedRow({ order, epoch, leaseMs }: Save): RowDocument {
  return {
    ...toRow(order),
    saga_epoch: epoch ?? null,
    saga_due_at: leaseMs ? new Date(Date.now() + leaseMs) : null,
  };
}
