/**
 * Orders and carts of one person, for exports and erasures. Guarantees: an order is erased only once it is at rest, in one
 * transaction with its rows in the outbox; its amounts, lines and states stay as they are. An erased order bears the
 * identifier of its person and nothing else of them, so that it is found again by it. The version grows, so that
 * nobody who read the order before writes the person back.
 */
import { emailKey, tidyAddress } from '@souk/auth';
import { holdOutbox, redactOutbox } from '@souk/outbox';
import { sql, type Database, type Transaction } from '@souk/postgres';
import type { Subject } from '@souk/privacy';
import type { OrderRow } from '../orders.rows.js';
import { COLUMNS } from '../orders.statements.js';
import { erasedTimeline, isAtRest, isErased, redactOrderEvent } from './erased-order.js';

/** A page of a person's orders, by their identifiers. */
export interface OrdersPage {
  readonly subject: Subject;
  /** The last order of the page before; empty for the first. */
  readonly after: string;
  readonly limit: number;
}

export interface PersonalCart {
  readonly cart_id: string;
  readonly lines: OrderRow['lines'];
  readonly created_at: Date;
  readonly updated_at: Date;
}

const FIRST = '00000000-0000-0000-0000-000000000000';
const MOST_CARTS = 1_000;

// Each part by its own index. The identifiers are of orders that an erasure knew before.
const MINE = `SELECT order_id FROM (
    (SELECT order_id FROM orders WHERE customer_id = $1 AND order_id > $3 ORDER BY order_id LIMIT $4)
    UNION
    (SELECT order_id FROM orders
      WHERE customer_id IS NULL AND COALESCE(guest_key, lower(email COLLATE "C")) = $2 AND order_id > $3
      ORDER BY order_id LIMIT $4)
    UNION
    (SELECT order_id FROM orders WHERE order_id = ANY($5::uuid[]) AND order_id > $3 ORDER BY order_id LIMIT $4)
  ) AS mine ORDER BY order_id LIMIT $4`;
const SELECT = sql('privacy.orders', `SELECT ${COLUMNS} FROM orders WHERE order_id IN (${MINE}) ORDER BY order_id`);
const LOCK = sql(
  'privacy.lock-orders',
  `SELECT ${COLUMNS} FROM orders WHERE order_id IN (${MINE}) ORDER BY order_id FOR UPDATE`,
);
const ERASE = sql(
  'privacy.erase-orders',
  `UPDATE orders AS o
      SET email = '', guest_key = '', customer_id = $1, payment_token = '', client_digest = '', saga_error = NULL,
          claim_fingerprint = 'erased', timeline = e.timeline, version = o.version + 1,
          shipping_address = jsonb_build_object('name', '', 'line1', '', 'line2', '', 'city', '', 'region', '',
            'postalCode', '', 'country', COALESCE(o.shipping_address->>'country', ''))
     FROM unnest($2::uuid[], $3::jsonb[]) AS e (order_id, timeline)
    WHERE o.order_id = e.order_id`,
);
const CARTS = sql(
  'privacy.carts',
  'SELECT cart_id, lines, created_at, updated_at FROM carts WHERE customer_id = $1 ORDER BY cart_id LIMIT $2',
);
const DELETE_CARTS = sql(
  'privacy.delete-carts',
  `DELETE FROM carts WHERE cart_id IN (SELECT cart_id FROM carts WHERE customer_id = $1 LIMIT $2) RETURNING cart_id`,
);

export class PersonalOrdersStore {
  constructor(private readonly database: Database) {}

  list(page: OrdersPage): Promise<OrderRow[]> {
    return this.database.query<OrderRow>(SELECT, valuesOf(page));
  }

  /** Erases those of the page that are at rest. @returns the page, as it was */
  erase(page: OrdersPage): Promise<OrderRow[]> {
    return this.database.transaction(async (tx) => {
      await holdOutbox(tx);
      const rows = await tx.query<OrderRow>(LOCK, valuesOf(page));
      const atRest = rows.filter(isAtRest);
      await eraseRows(tx, page.subject.subjectId, atRest);
      await redactOutbox(
        tx,
        atRest.map((row) => row.order_id),
        redactOrderEvent,
      );
      return rows;
    });
  }

  carts({ subjectId }: Subject): Promise<PersonalCart[]> {
    return this.database.query<PersonalCart>(CARTS, [subjectId, MOST_CARTS]);
  }

  /** @returns how many there were */
  async deleteCarts({ subjectId }: Subject): Promise<number> {
    for (let deleted = 0; ;) {
      const rows = await this.database.query(DELETE_CARTS, [subjectId, MOST_CARTS]);
      deleted += rows.length;
      if (rows.length < MOST_CARTS) return deleted;
    }
  }
}

async function eraseRows(tx: Transaction, subjectId: string, rows: readonly OrderRow[]): Promise<void> {
  const named = rows.filter((row) => !isErased(row));
  if (named.length === 0) return;
  await tx.query(ERASE, [
    subjectId,
    named.map((row) => row.order_id),
    named.map(({ timeline }) => JSON.stringify(erasedTimeline(timeline))),
  ]);
}

/** An address that nobody proved to be the person's finds nothing: anybody may have typed it. */
function valuesOf({ subject, after, limit }: OrdersPage): unknown[] {
  const { subjectId, email, emailOwned, orderIds } = subject;
  const key = emailOwned && email ? emailKey(tidyAddress(email)) : null;
  return [subjectId, key, after || FIRST, limit, orderIds];
}
