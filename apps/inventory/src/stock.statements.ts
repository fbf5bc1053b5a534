/**
 * The SQL of stock, orders' holds and the ledger. There is one order in which rows are locked, whatever the order of the
 * request: orders' holds by order, carts' holds by cart, stock by SKU. Transactions that meet wait for each other in
 * line and don't deadlock.
 */
import { sql } from '@souk/postgres';
import type { HoldState } from './domain/hold-state.js';
import type { Hold } from './domain/hold.js';
import type { Shortage } from './domain/shelf.js';
import { noStock, type Movement, type MovementKind, type Stock, type StockLine } from './domain/stock.js';

export interface StockRow {
  sku: string;
  on_hand: number;
  held: number;
  version: number;
}

export interface HoldRow {
  order_id: string;
  state: HoldState;
  lines: StockLine[];
  shortages: Shortage[];
}

export interface DatedHoldRow extends HoldRow {
  created_at: Date;
  updated_at: Date;
}

export interface MovementRow {
  movement_id: bigint;
  sku: string;
  kind: MovementKind;
  on_hand_delta: number;
  held_delta: number;
  cause: string;
  reason: string;
  created_at: Date;
}

export const SELECT_STOCK = sql(
  'stock.select',
  'SELECT sku, on_hand, held, version FROM stock WHERE sku = ANY ($1::text[])',
);

export const SELECT_MOVEMENTS = sql(
  'stock.select_movements',
  `SELECT movement_id, sku, kind, on_hand_delta, held_delta, cause, reason, created_at
     FROM movements
    WHERE sku = $1 AND movement_id < $2
    ORDER BY movement_id DESC LIMIT $3`,
);

export const SELECT_HOLDS = sql(
  'stock.select_holds',
  `SELECT order_id, state, lines, shortages, created_at, updated_at
     FROM holds WHERE order_id = ANY ($1::text[])`,
);

export const SELECT_HELD = sql(
  'stock.select_held',
  `SELECT order_id, state, lines, shortages, created_at, updated_at
     FROM holds
    WHERE state = 'HELD' AND created_at < $1 AND order_id > $2
    ORDER BY order_id LIMIT $3`,
);

export const LOCK_HOLDS = sql(
  'stock.lock_holds',
  `SELECT order_id, state, lines, shortages
     FROM holds WHERE order_id = ANY ($1::text[])
    ORDER BY order_id FOR UPDATE`,
);

/**
 * Locks the SKUs of $1, and those that the orders of $2 and the carts of $3 hold. The lines of an order's hold never
 * change; those of a cart's don't while it is locked, and it is locked before.
 */
export const LOCK_STOCK = sql(
  'stock.lock',
  `SELECT sku, on_hand, held, version
     FROM stock
    WHERE sku = ANY (ARRAY(
            SELECT unnest($1::text[])
             UNION
            SELECT line ->> 'sku'
              FROM holds, jsonb_array_elements(holds.lines) AS line
             WHERE order_id = ANY ($2::text[])
             UNION
            SELECT line ->> 'sku'
              FROM cart_holds, jsonb_array_elements(cart_holds.lines) AS line
             WHERE cart_id = ANY ($3::text[])))
    ORDER BY sku FOR UPDATE`,
);

/** Opens the SKUs that are not known yet, with nothing on the shelf, and answers which they were. */
export const OPEN_STOCK = sql(
  'stock.open',
  `INSERT INTO stock (sku)
   SELECT sku FROM unnest($1::text[]) AS sku ORDER BY sku
       ON CONFLICT (sku) DO NOTHING
   RETURNING sku, on_hand, held, version`,
);

/**
 * Writes what a transaction decided, however much it is, in one statement. Counters change by what was decided and not to
 * it: had the rows not been locked, the CHECKs of the table would still see every unit. A new hold whose order got one in
 * the meantime violates holds_pkey or movements_once: the decision was made on what is no longer true, and must be made again.
 */
export const WRITE_DECISIONS = sql(
  'stock.write_decisions',
  `WITH counters AS (
     UPDATE stock
        SET on_hand = stock.on_hand + by.on_hand, held = stock.held + by.held, version = stock.version + by.movements
       FROM unnest($1::text[], $2::int[], $3::int[], $4::int[]) AS by (sku, on_hand, held, movements)
      WHERE stock.sku = by.sku
   ), first_holds AS (
     INSERT INTO holds (order_id, state, lines, shortages)
     SELECT order_id, state, lines::jsonb, shortages::jsonb
       FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) AS new (order_id, state, lines, shortages)
      ORDER BY order_id
   ), changed_holds AS (
     UPDATE holds
        SET state = new.state, updated_at = now()
       FROM unnest($9::text[], $10::text[]) AS new (order_id, state)
      WHERE holds.order_id = new.order_id
   )
   INSERT INTO movements (sku, kind, on_hand_delta, held_delta, cause, reason)
   SELECT sku, kind, on_hand_delta, held_delta, cause, reason
     FROM unnest($11::text[], $12::text[], $13::int[], $14::int[], $15::text[], $16::text[])
          WITH ORDINALITY AS new (sku, kind, on_hand_delta, held_delta, cause, reason, position)
    ORDER BY position`,
);

/** What a transaction writes: every movement, and the last state of each hold. */
export interface Decisions {
  readonly movements: readonly Movement[];
  /** By how much counters change; by what the movements say where it is left out. */
  readonly counters?: readonly Stock[];
  readonly firstHolds?: readonly Hold[];
  readonly changedHolds?: readonly Hold[];
}

export function decisionValues(decisions: Decisions): unknown[] {
  const { movements, firstHolds = [], changedHolds = [] } = decisions;
  const counters = decisions.counters ?? counterChanges(movements);
  return [
    counters.map(({ sku }) => sku),
    counters.map(({ onHand }) => onHand),
    counters.map(({ held }) => held),
    counters.map(({ version }) => version),
    firstHolds.map(({ orderId }) => orderId),
    firstHolds.map(({ state }) => state),
    firstHolds.map(({ lines }) => JSON.stringify(lines)),
    firstHolds.map(({ shortages }) => JSON.stringify(shortages)),
    changedHolds.map(({ orderId }) => orderId),
    changedHolds.map(({ state }) => state),
    movements.map(({ sku }) => sku),
    movements.map(({ kind }) => kind),
    movements.map(({ onHandDelta }) => onHandDelta),
    movements.map(({ heldDelta }) => heldDelta),
    movements.map(({ cause }) => cause),
    movements.map(({ reason = '' }) => reason),
  ];
}

function counterChanges(movements: readonly Movement[]): Stock[] {
  const sums = new Map<string, Stock>();
  for (const { sku, onHandDelta, heldDelta } of movements) {
    const { onHand, held, version } = sums.get(sku) ?? noStock(sku);
    sums.set(sku, { sku, onHand: onHand + onHandDelta, held: held + heldDelta, version: version + 1 });
  }
  return [...sums.values()];
}

export function toStock({ sku, on_hand: onHand, held, version }: StockRow): Stock {
  return { sku, onHand, held, version };
}

export function toHold({ order_id: orderId, state, lines, shortages }: HoldRow): Hold {
  return { orderId, state, lines, shortages };
}
