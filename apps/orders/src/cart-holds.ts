/**
 * Stock that is held for carts. It ends by itself, so nothing here has to be undone: a release that fails, or a hold that
 * comes after its cart was ordered or deleted, costs minutes.
 */
import type { InventoryServiceService } from '@souk/proto/inventory/v1';
import type { RpcClient } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import type { Cart } from './domain/cart.js';
import { cartEmpty, cartOrdered, cartStockShort } from './domain/order-errors.js';

export type CartStock = Pick<RpcClient<InventoryServiceService>, 'holdCart' | 'releaseCart'>;

const RELEASE_TIMEOUT_MS = 2_000;

export class CartHolds {
  constructor(
    private readonly stock: CartStock,
    private readonly seconds: number,
    private readonly logger: Logger,
  ) {}

  /**
   * Holds what is in the cart now.
   * @returns when the hold ends
   * @throws DomainError CART_ORDERED, CART_EMPTY, STOCK_SHORT
   */
  async hold({ cartId, lines, orderId }: Cart): Promise<Date> {
    if (orderId) throw cartOrdered(orderId);
    if (lines.length === 0) throw cartEmpty();
    const timeToLive = { seconds: BigInt(this.seconds), nanos: 0 };
    const { shortages, expireTime } = await this.stock.holdCart({ cartId, lines: [...lines], timeToLive });
    if (shortages.length > 0) throw cartStockShort(shortages);
    if (!expireTime) throw new Error(`Nobody said how long cart ${cartId} is held.`);
    return expireTime;
  }

  async release(cartId: string): Promise<void> {
    try {
      await this.stock.releaseCart({ cartId }, { timeoutMs: RELEASE_TIMEOUT_MS });
    } catch (error) {
      this.logger.info({ err: error, cartId }, 'the hold of a deleted cart is left to run out');
    }
  }
}
