/**
 * Which order stands already for a key, a cart or a customer. Guarantees: what a key was answered with, it is answered with for
 * ever, and a cart too as long as that order is not refused. Where another request misuses a key for an order of its own at
 * the moment in which it gets its answer, the key is that order's.
 */
import { Injectable } from '@nestjs/common';
import type { Claim } from '@souk/idempotency';
import { Database } from '@souk/postgres';
import type { Order } from './domain/order.js';
import { linesDigest } from './orders.rows.js';
import { ADD_ALIAS, FIND_CLAIM, FIND_TWIN, JOIN_CART, LOCK_CARTS } from './orders.statements.js';

@Injectable()
export class ClaimsStore {
  constructor(private readonly database: Database) {}

  /** The order that a key was answered with, and the digest of what was asked for. */
  async find({ principal, key }: Claim): Promise<{ orderId: string; fingerprint: string } | undefined> {
    type Row = { order_id: string; fingerprint: string };
    const [row] = await this.database.query<Row>(FIND_CLAIM, [principal, key]);
    return row && { orderId: row.order_id, fingerprint: row.fingerprint };
  }

  /** The order that its customer is just making of the same lines in another cart. @returns its identifier */
  async findTwin(order: Order): Promise<string | undefined> {
    const digest = linesDigest(order);
    if (!digest) return undefined;
    const [row] = await this.database.query<{ order_id: string }>(FIND_TWIN, [order.customerId, digest]);
    return row?.order_id;
  }

  /**
   * Lets a key, and the cart that it came with, be answered with an order that stands already.
   * @returns false where the key has an answer meanwhile, or the order was refused
   */
  async addAlias(orderId: string, { principal, key, fingerprint }: Claim, cartId: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      // Whoever places an order from this cart waits here, and then finds the alias.
      await tx.query(LOCK_CARTS, [[cartId]]);
      if ((await tx.query(ADD_ALIAS, [principal, key, fingerprint, orderId])).length === 0) return false;
      await tx.query(JOIN_CART, [cartId, orderId]);
      return true;
    });
  }
}
