/** A customer: clicks twice, loses patience, tries again, changes his mind. */
import { GUEST, type Principal } from '@souk/auth';
import { isDomainError } from '@souk/errors';
import type { PlaceOrderRequest } from '@souk/proto/orders/v1';
import type { Random } from '../random.ts';
import type { History, SeenOrder, Wish } from './history.ts';
import { customer, staff, type Storefront } from './storefront.ts';

export interface BuyerPlan {
  /** Undefined for a guest. */
  readonly userId?: string | undefined;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly payment: { readonly method: 'card' | 'manual'; readonly token: string };
  readonly usesCart: boolean;
  /** Whether the cart is held while he thinks. */
  readonly holdsCart: boolean;
  readonly doubleClicks: boolean;
  /** Orders the same cart in a second tab, under another key. */
  readonly secondTab: boolean;
  /** Builds the same cart anew when he sees a failure, and orders that one. */
  readonly startsOver: boolean;
  readonly patience: number;
  /** How long after his order he calls it off. */
  readonly cancelsAfterMs?: number | undefined;
  /** How long after that staff hands the goods to the carrier. */
  readonly fulfilledAfterMs?: number | undefined;
  /** How long after that staff gives a part of the money back. */
  readonly refundedAfterMs?: number | undefined;
}

const ADDRESS = {
  name: 'Ada Lovelace',
  line1: '12 St James Square',
  line2: '',
  city: 'London',
  region: '',
  postalCode: 'SW1Y 4JH',
  country: 'GB',
};

export class Buyer {
  private readonly shop: Storefront;
  private readonly plan: BuyerPlan;
  private readonly history: History;
  private readonly random: Random;
  private readonly principal: Principal;
  private readonly name: string;
  private keys = 0;

  constructor(name: string, plan: BuyerPlan, world: { shop: Storefront; history: History; random: Random }) {
    this.name = name;
    this.plan = plan;
    this.shop = world.shop;
    this.history = world.history;
    this.random = world.random;
    this.principal = plan.userId === undefined ? GUEST : customer(plan.userId);
  }

  async run(): Promise<void> {
    const cartId = this.plan.usesCart ? await this.fillCart() : undefined;
    if (this.plan.usesCart && cartId === undefined) return;
    const tabs = this.plan.secondTab ? 2 : 1;
    const orders = await Promise.all(Array.from({ length: tabs }, () => this.order(cartId)));
    let order = orders.find((one) => one !== undefined);
    if (!order && this.plan.startsOver && this.plan.usesCart) {
      const another = await this.fillCart();
      order = another === undefined ? undefined : await this.order(another);
    }
    if (order) await Promise.all([this.changeMind(order), this.shipAndRefund(order)]);
  }

  private async fillCart(): Promise<string | undefined> {
    const { carts } = this.shop;
    return this.triedAtAll(async () => {
      const { cart } = await carts.createCart({});
      const cartId = cart?.cartId ?? '';
      for (const { sku, quantity } of this.plan.lines) {
        await carts.setCartLine({ cartId, sku, quantity, expectedVersion: 0 });
      }
      if (this.plan.holdsCart) await carts.holdCart({ cartId });
      return cartId;
    });
  }

  /** One wish under one key, said once or twice at a time. */
  private async order(cartId: string | undefined): Promise<SeenOrder | undefined> {
    const key = `${this.name}-${(this.keys += 1)}`;
    const wish: Wish = { principal: this.plan.userId ?? 'guest', key, cartId, answers: [] };
    this.history.wishes.push(wish);
    const clicks = this.plan.doubleClicks ? 2 : 1;
    const answers = await Promise.all(
      Array.from({ length: clicks }, async (_, click) => {
        await this.shop.pause(click * this.random.between(0, 300));
        return this.say(wish);
      }),
    );
    return answers.find((answer) => answer !== undefined);
  }

  private async say(wish: Wish): Promise<SeenOrder | undefined> {
    const request = this.request(wish);
    try {
      const answer = await this.shop.persistently(this.principal, this.plan.patience, () =>
        this.shop.orders.placeOrder(request),
      );
      if (!answer?.order) return undefined;
      const { orderId, number, state } = answer.order;
      const seen: SeenOrder = { orderId, number, state, accessToken: answer.accessToken };
      wish.answers.push(seen);
      this.shop.world.trace.add(this.name, `sees order ${orderId} ${state}${answer.replayed ? ' again' : ''}`);
      return seen;
    } catch (error) {
      if (!isDomainError(error)) throw error;
      wish.refusal = error.reason;
      this.shop.world.trace.add(this.name, `is refused: ${error.reason}`);
      return undefined;
    }
  }

  private request({ key, cartId = '' }: Wish): PlaceOrderRequest {
    const { lines, payment } = this.plan;
    return {
      requestId: key,
      lines: cartId === '' ? lines.map((line) => ({ ...line })) : [],
      cartId,
      email: `${this.name}@example.com`,
      shippingAddress: ADDRESS,
      payment,
      expectedTotal: undefined,
      clientAddress: '203.0.113.7',
    };
  }

  private async changeMind(order: SeenOrder): Promise<void> {
    const { cancelsAfterMs } = this.plan;
    if (cancelsAfterMs === undefined) return;
    await this.shop.pause(cancelsAfterMs);
    const { orderId, accessToken } = order;
    this.shop.world.trace.add(this.name, `calls off ${orderId}`);
    const answer = await this.triedAtAll(() =>
      this.shop.orders.cancelOrder({ orderId, accessToken, requestId: `cancel-${this.name}` }),
    );
    if (answer?.order?.state === 'STATE_CANCELLED') this.history.cancelled.add(orderId);
  }

  private async shipAndRefund({ orderId }: SeenOrder): Promise<void> {
    const { fulfilledAfterMs, refundedAfterMs } = this.plan;
    if (fulfilledAfterMs !== undefined) {
      await this.shop.pause(fulfilledAfterMs);
      const request = { orderId, tracking: 'T1', requestId: `fulfil-${this.name}` };
      await this.triedAtAll(() => this.shop.orders.fulfillOrder(request), staff());
    }
    if (refundedAfterMs !== undefined) {
      await this.shop.pause(refundedAfterMs);
      const request = { orderId, amount: 1n, reason: 'scratched', requestId: `refund-${this.name}` };
      await this.triedAtAll(() => this.shop.payments.refundPayment(request), staff());
    }
  }

  /** Somebody who takes no for an answer. */
  private async triedAtAll<T>(call: () => Promise<T>, principal = this.principal): Promise<T | undefined> {
    try {
      return await this.shop.persistently(principal, this.plan.patience, call);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      return undefined;
    }
  }
}
