/** Who may see and change which order and which cart. Whoever may not is told that it does not exist. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { may, userIdOf, type Permission, type Principal } from '@souk/auth';
import type { Cart } from './domain/cart.js';
import type { Order } from './domain/order.js';
import { cartNotFound, orderNotFound } from './domain/order-errors.js';

/** Makes and checks the access tokens of guests' orders. They follow from the order, so that nothing has to be stored. */
export class OrderAccess {
  constructor(private readonly secret: string) {}

  tokenFor(orderId: string): string {
    return `ot_${createHmac('sha256', this.secret).update(orderId).digest('base64url')}`;
  }

  /**
   * @param permission what lets a principal at the orders of others
   * @throws DomainError ORDER_NOT_FOUND
   */
  check(order: Order, principal: Principal, accessToken: string, permission: Permission): void {
    const owner = order.customerId !== undefined && order.customerId === userIdOf(principal);
    if (owner || may(principal, permission) || this.isTokenOf(order.orderId, accessToken)) return;
    throw orderNotFound();
  }

  private isTokenOf(orderId: string, accessToken: string): boolean {
    const [given, expected] = [Buffer.from(accessToken), Buffer.from(this.tokenFor(orderId))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/**
 * The order without its customer, for whoever got at it by its token: that the address has an account, and whose, is not for
 * everybody who typed the address.
 */
export function asSeenBy(principal: Principal, order: Order): Order {
  if (order.customerId === userIdOf(principal) || may(principal, 'orders:read')) return order;
  const { customerId: _, ...rest } = order;
  return rest;
}

/** A guest's cart belongs to whoever knows its identifier. @throws DomainError CART_NOT_FOUND */
export function mayUseCart(cart: Cart, principal: Principal): void {
  if (cart.customerId !== undefined && cart.customerId !== userIdOf(principal)) throw cartNotFound();
}
