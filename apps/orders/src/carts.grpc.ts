/** The RPCs of CartsService: the only mapping between its messages and the domain. */
import { randomUUID } from 'node:crypto';
import { Allow, userIdOf } from '@souk/auth';
import {
  CartsServiceService,
  type Cart as CartMessage,
  type CreateCartResponse,
  type DeleteCartRequest,
  type DeleteCartResponse,
  type GetCartRequest,
  type GetCartResponse,
  type HoldCartRequest,
  type HoldCartResponse,
  type SetCartLineRequest,
  type SetCartLineResponse,
} from '@souk/proto/orders/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { mayUseCart } from './access.js';
import { CartHolds } from './cart-holds.js';
import { CartsStore } from './carts.store.js';
import { newCart, priceCart, setLine, type Cart } from './domain/cart.js';
import { cartVersionMismatch, skuNotForSale } from './domain/order-errors.js';
import { checkCartLine, checkUuid } from './domain/order-input.js';
import { toCartMessage } from './orders.messages.js';
import { Prices } from './prices.js';

@RpcController(CartsServiceService)
export class CartsGrpc implements Handlers<typeof CartsServiceService> {
  constructor(
    private readonly carts: CartsStore,
    private readonly prices: Prices,
    private readonly holds: CartHolds,
  ) {}

  /** The identifier is random through and through, since it is all that protects a guest's cart. */
  @Allow('anyone')
  async createCart(): Promise<CreateCartResponse> {
    const cart = newCart(randomUUID(), userIdOf(currentPrincipal()), new Date());
    await this.carts.insert(cart);
    return { cart: await this.priced(cart) };
  }

  @Allow('anyone')
  async getCart({ cartId }: GetCartRequest): Promise<GetCartResponse> {
    checkUuid('cart_id', cartId);
    const cart = await this.carts.get(cartId);
    mayUseCart(cart, currentPrincipal());
    return { cart: await this.priced(cart) };
  }

  @Allow('anyone')
  async setCartLine({ cartId, sku, quantity, expectedVersion }: SetCartLineRequest): Promise<SetCartLineResponse> {
    checkUuid('cart_id', cartId);
    checkCartLine(sku, quantity);
    const principal = currentPrincipal();
    if (quantity > 0) await this.checkForSale(sku);
    const cart = await this.carts.update(cartId, (present) => {
      mayUseCart(present, principal);
      if (expectedVersion !== 0 && expectedVersion !== present.version) throw cartVersionMismatch(present.version);
      return setLine(present, sku, quantity, new Date());
    });
    return { cart: await this.priced(cart) };
  }

  @Allow('anyone')
  async holdCart({ cartId }: HoldCartRequest): Promise<HoldCartResponse> {
    checkUuid('cart_id', cartId);
    const cart = await this.carts.get(cartId);
    mayUseCart(cart, currentPrincipal());
    return { expireTime: await this.holds.hold(cart) };
  }

  @Allow('anyone')
  async deleteCart({ cartId }: DeleteCartRequest): Promise<DeleteCartResponse> {
    checkUuid('cart_id', cartId);
    const principal = currentPrincipal();
    await this.carts.delete(cartId, (cart) => mayUseCart(cart, principal));
    await this.holds.release(cartId);
    return {};
  }

  private async checkForSale(sku: string): Promise<void> {
    const offers = await this.prices.offersFor([sku]);
    if (!offers.has(sku)) throw skuNotForSale([sku]);
  }

  private async priced(cart: Cart): Promise<CartMessage> {
    return toCartMessage(priceCart(cart, await this.prices.offersFor(cart.lines.map(({ sku }) => sku))));
  }
}
