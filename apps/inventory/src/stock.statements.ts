/**
 * The SQL of the stock store. Rows are always locked in the same order, holds by order and then stock by SKU, whatever
 * the order of the request: transactions that meet wait for each other in line and don't deadlock.
 */
import { sql } from '@souk/postgres';
import type { HoldState } from './domain/hold-state.js';
import type { Hold, Shortage } from './domain/hold.js';
import type { Movement, MovementKind, Stock, StockLine } from './domain/stock.js';

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

export interface MovementRow {
  movement_id: bigint;
  sku: string;
  kind: MovementKind;
  on_hand_delta: number;
  held_delta: number;
  cause: string;
  created_at: Date;
}

export const SELECT_STOCK = sql(
  'stock.select',
  'SELECT sku, on_hand, held, version FROM stock WHERE sku = ANY ($1::text[])',
);

export const SELECT_MOVEMENTS = sql(
  'stock.select_movements',
  `SELECT movement_id, sku, kind, on_hand_delta, held_delta, cause, created_at
     FROM movements
    WHERE sku = $1 AND movement_id < $2
    ORDER BY movement_id DESC LIMIT $3`,
);

export const LOCK_HOLDS = sql(
  'stock.lock_holds',
  `SELECT order_id, state, lines, shortages
     FROM holds WHERE order_id = ANY ($1::text[])
    ORDER BY order_id FOR UPDATE`,
);

/** Locks the SKUs of $1, and those that the orders of $2 hold. A hold's lines never change, so they need no lock. */
export const LOCK_STOCK = sql(
  'stock.lock',
  `SELECT sku, on_hand, held, version
     FROM stock
    WHERE sku = ANY (ARRAY(
            SELECT unnest($1::text[])
             UNION
            SELECT line ->> 'sku'
              FROM holds, jsonb_array_elements(holds.lines) AS line
             WHERE order_id = ANY ($2::text[])))
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

export const SELECT_COUNT = sql(
  'stock.select_count',
  `SELECT movement_id FROM movements WHERE cause = $1 AND sku = $2 AND kind = 'COUNTED'`,
);

/**
 * Writes what a transaction decided, however much it is, in one statement. A new hold whose order got one in the
 * meantime violates holds_pkey: the decision was made on what is no longer true, and must be made again.
 */
export const WRITE_DECISIONS = sql(
  'stock.write_decisions',
  `WITH counters AS (
     UPDATE stock
        SET on_hand = new.on_hand, held = new.held, version = new.version
       FROM unnest($1::text[], $2::int[], $3::int[], $4::int[]) AS new (sku, on_hand, held, version)
      WHERE stock.sku = new.sku
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
   INSERT INTO movements (sku, kind, on_hand_delta, held_delta, cause)
   SELECT sku, kind, on_hand_delta, held_delta, cause
     FROM unnest($11::text[], $12::text[], $13::int[], $14::int[], $15::text[])
          WITH ORDINALITY AS new (sku, kind, on_hand_delta, held_delta, cause, position)
    ORDER BY position`,
);

/** What a transaction writes: the last state of each counter and hold, and every movement. */
export interface Decisions {
  readonly stock: readonly Stock[];
  readonly firstHolds: readonly Hold[];
  readonly changedHolds: readonly Hold[];
  readonly movements: readonly Movement[];
}

export function decisionValues({ stock, firstHolds, changedHolds, movements }: Decisions): unknown[] {
  return [
    stock.map(({ sku }) => sku),
    stock.map(({ onHand }) => onHand),
    stock.map(({ held }) => held),
    stock.map(({ version }) => version),
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
  ];
}

export function toStock({ sku, on_hand: onHand, held, version }: StockRow): Stock {
  return { sku, onHand, held, version };
}

export function toHold({ order_id: orderId, state, lines, shortages }: HoldRow): Hold {
  return { orderId, state, lines, shortages };
}
