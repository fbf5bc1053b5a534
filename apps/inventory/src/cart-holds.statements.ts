/** The SQL of what carts hold. When it ends is told by the database's clock alone. */
import { sql } from '@souk/postgres';
import type { CartHold } from './domain/cart-hold.js';
import type { StockLine } from './domain/stock.js';

export interface CartHoldRow {
  cart_id: string;
  hold_id: string;
  lines: StockLine[];
  expires_at: Date;
}

export const LOCK_CART_HOLDS = sql(
  'cart_holds.lock',
  `SELECT cart_id, hold_id, lines, expires_at
     FROM cart_holds WHERE cart_id = ANY ($1::text[])
    ORDER BY cart_id FOR UPDATE`,
);

/** Asked after the rows are locked, so that a cart's time does not run while it waits for them. */
export const READ_CLOCK = sql('cart_holds.read_clock', 'SELECT clock_timestamp() AS now');

/** Waits for nobody, so the order of the rows cannot lead to a deadlock: what another transaction has, it sees to. */
export const TAKE_EXPIRED = sql(
  'cart_holds.take_expired',
  `SELECT cart_id FROM cart_holds
    WHERE expires_at <= now()
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
);

export const LOCK_EXPIRED_OF_SKUS = sql(
  'cart_holds.lock_expired_of_skus',
  `SELECT cart_id FROM cart_holds
    WHERE expires_at <= now() AND jsonb_path_query_array(lines, '$[*].sku') ?| $1::text[]
    ORDER BY cart_id LIMIT $2 FOR UPDATE`,
);

export const FIND_EXPIRED_OF_SKUS = sql(
  'cart_holds.find_expired_of_skus',
  `SELECT cart_id FROM cart_holds
    WHERE expires_at <= now() AND jsonb_path_query_array(lines, '$[*].sku') ?| $1::text[]
    LIMIT 1`,
);

/** A new hold whose cart got one in the meantime violates cart_holds_pkey: the decision must be made again. */
export const WRITE_CART_HOLDS = sql(
  'cart_holds.write',
  `WITH ended AS (
     DELETE FROM cart_holds WHERE cart_id = ANY ($1::text[])
   ), changed AS (
     UPDATE cart_holds
        SET hold_id = new.hold_id, lines = new.lines::jsonb, expires_at = new.expires_at
       FROM unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[]) AS new (cart_id, hold_id, lines, expires_at)
      WHERE cart_holds.cart_id = new.cart_id
   )
   INSERT INTO cart_holds (cart_id, hold_id, lines, expires_at)
   SELECT cart_id, hold_id, lines::jsonb, expires_at
     FROM unnest($6::text[], $7::uuid[], $8::text[], $9::timestamptz[]) AS new (cart_id, hold_id, lines, expires_at)
    ORDER BY cart_id`,
);

/** What a transaction decided about carts: the last state of each. */
export interface CartDecisions {
  readonly ended: readonly CartHold[];
  readonly changed: readonly CartHold[];
  readonly first: readonly CartHold[];
}

export function cartDecisionValues({ ended, changed, first }: CartDecisions): unknown[] {
  return [ended.map(({ cartId }) => cartId), ...columns(changed), ...columns(first)];
}

function columns(holds: readonly CartHold[]): unknown[] {
  return [
    holds.map(({ cartId }) => cartId),
    holds.map(({ holdId }) => holdId),
    holds.map(({ lines }) => JSON.stringify(lines)),
    holds.map(({ expiresAt }) => expiresAt),
  ];
}

export function toCartHold({ cart_id: cartId, hold_id: holdId, lines, expires_at: expiresAt }: CartHoldRow): CartHold {
  return { cartId, holdId, lines, expiresAt };
}
