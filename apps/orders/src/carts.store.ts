/**
 * Carts in Postgres. Guarantees: a change is written only on top of the version it was made from, and never once the cart
 * has become an order: both lock the cart's row. Does not tell who may use a cart.
 */
import { Injectable } from '@nestjs/common';
import { Database, sql, type Transaction } from '@souk/postgres';
import type { Cart } from './domain/cart.js';
import { cartNotFound, cartOrdered } from './domain/order-errors.js';
import type { Quantity } from './domain/order-pricing.js';

interface CartRow {
  readonly cart_id: string;
  readonly customer_id: string | null;
  readonly lines: readonly Quantity[];
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly order_id: string | null;
}

const INSERT = sql(
  'carts.insert',
  `INSERT INTO carts (cart_id, customer_id, lines, version, created_at, updated_at) VALUES ($1, $2, $3::jsonb, $4, $5, $6)`,
);
// A refused order leaves its cart free, and so does one of the same lines that was answered for this cart.
const COLUMNS = `c.cart_id, c.customer_id, c.lines, c.version, c.created_at, c.updated_at,
  COALESCE((SELECT o.order_id FROM orders AS o WHERE o.cart_id = c.cart_id AND o.state <> 'REJECTED'),
           (SELECT o.order_id FROM orders AS o WHERE o.order_id = c.twin_order_id AND o.state <> 'REJECTED')) AS order_id`;
const GET = sql('carts.get', `SELECT ${COLUMNS} FROM carts AS c WHERE c.cart_id = $1`);
const LOCK = sql('carts.lock', `SELECT cart_id FROM carts WHERE cart_id = $1 FOR UPDATE`);
const UPDATE = sql(
  'carts.update',
  `UPDATE carts SET lines = $2::jsonb, version = $3, updated_at = $4 WHERE cart_id = $1`,
);
const DELETE = sql('carts.delete', `DELETE FROM carts WHERE cart_id = $1`);

@Injectable()
export class CartsStore {
  constructor(private readonly database: Database) {}

  async insert(cart: Cart): Promise<void> {
    const lines = JSON.stringify(cart.lines);
    const values = [cart.cartId, cart.customerId ?? null, lines, cart.version, cart.createTime, cart.updateTime];
    await this.database.query(INSERT, values);
  }

  /** @throws DomainError CART_NOT_FOUND */
  async get(cartId: string): Promise<Cart> {
    const [row] = await this.database.query<CartRow>(GET, [cartId]);
    if (!row) throw cartNotFound();
    return toCart(row);
  }

  /** Loads, changes and saves a cart as one step. @throws DomainError CART_NOT_FOUND, CART_ORDERED, and what `fn` throws */
  async update(cartId: string, fn: (cart: Cart) => Cart): Promise<Cart> {
    return this.database.transaction(async (tx) => {
      const before = await lockCart(tx, cartId);
      const after = fn(before);
      if (after === before) return before;
      if (before.orderId) throw cartOrdered(before.orderId);
      await tx.query(UPDATE, [cartId, JSON.stringify(after.lines), after.version, after.updateTime]);
      return after;
    });
  }

  /** @param mayDelete throws where the cart must stay */
  async delete(cartId: string, mayDelete: (cart: Cart) => void): Promise<void> {
    await this.database.transaction(async (tx) => {
      mayDelete(await lockCart(tx, cartId));
      await tx.query(DELETE, [cartId]);
    });
  }
}

/** Two statements: the second sees an order that was placed while the first waited for the lock. */
async function lockCart(tx: Transaction, cartId: string): Promise<Cart> {
  await tx.query(LOCK, [cartId]);
  const [row] = await tx.query<CartRow>(GET, [cartId]);
  if (!row) throw cartNotFound();
  return toCart(row);
}

function toCart(row: CartRow): Cart {
  return {
    cartId: row.cart_id,
    ...(row.customer_id && { customerId: row.customer_id }),
    lines: row.lines,
    ...(row.order_id && { orderId: row.order_id }),
    version: row.version,
    createTime: row.created_at,
    updateTime: row.updated_at,
  };
}
