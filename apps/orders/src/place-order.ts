import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { subjectOf, userIdOf, type Principal } from '@souk/auth';
import type { Claim } from '@souk/idempotency';
import { uuidv7 } from '@souk/postgres';
import { CartsStore } from './carts.store.js';
import { mayUseCart } from './access.js';
import { ClaimsStore } from './claims.store.js';
import type { Cart } from './domain/cart.js';
import { placeOrder, type Address, type Order } from './domain/order.js';
import { cartEmpty, requestIdReused } from './domain/order-errors.js';
import { checkOrderInput, type OrderInput } from './domain/order-input.js';
import { checkTotal, priceLines, type Quantity } from './domain/order-pricing.js';
import { OrdersStore } from './orders.store.js';
import { Prices } from './prices.js';
import { SagaRunner } from './saga-runner.js';
import type { SagaTask } from './sagas.store.js';

/** Without letters and digits that are read for one another. */
const NUMBER_ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
const TRIES = 5;

export interface PlaceOrderCommand extends OrderInput {
  readonly principal: Principal;
  /** Digest of the request, to tell a repeated request from another one under the same key. */
  readonly fingerprint: string;
}

type CheckedCommand = PlaceOrderCommand & { readonly shippingAddress: Address };

/** Identifier of an order that stands already. */
type Existing = string;

export interface PlacedOrder {
  readonly order: Order;
  /** Whether the order had been placed before: under the same key, from the same cart, or by the same customer for the same lines. */
  readonly replayed: boolean;
}

/** Acknowledges an order, settles it, and waits for the outcome as long as the caller can. */
@Injectable()
export class PlaceOrder {
  constructor(
    private readonly orders: OrdersStore,
    private readonly claims: ClaimsStore,
    private readonly carts: CartsStore,
    private readonly prices: Prices,
    private readonly sagas: SagaRunner,
  ) {}

  /** @param waitMs how long to wait for the outcome; after that the order comes back PENDING and is settled all the same */
  async execute(command: PlaceOrderCommand, waitMs: number): Promise<PlacedOrder> {
    checkOrderInput(command);
    const claim: Claim = {
      principal: subjectOf(command.principal) ?? 'guest',
      operation: 'PlaceOrder',
      key: command.requestId,
      fingerprint: command.fingerprint,
    };
    const placed = await this.placeOnce(command, claim);
    if (typeof placed === 'string') return { order: await this.sagas.awaitOutcome(placed, waitMs), replayed: true };
    const outcome = this.sagas.run(placed);
    return { order: await this.sagas.awaitOutcome(placed.order.orderId, waitMs, outcome), replayed: false };
  }

  /** Writes the order, or finds the one that this key, this cart or this customer already has. */
  private async placeOnce(command: CheckedCommand, claim: Claim): Promise<SagaTask | Existing> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const placed = await this.tryToPlace(command, claim).catch(async (error: unknown) => {
        // A repeated request is answered as it was, though prices, stock or the cart have changed since.
        const existing = await this.findClaimed(claim);
        if (existing) return existing;
        throw error;
      });
      if (placed) return placed;
      // The cart changed while it was being ordered, or the order number was taken: once more.
    }
    throw new Error('The order could not be written.');
  }

  private async tryToPlace(command: CheckedCommand, claim: Claim): Promise<SagaTask | Existing | undefined> {
    if (!command.cartId) return (await this.place(command, command.lines, claim)).task ?? this.findClaimed(claim);
    const cart = await this.cartToBuy(command.cartId, command.principal);
    const { task, order } = cart.orderId ? {} : await this.place(command, cart.lines, claim, cart);
    return task ?? (await this.findClaimed(claim)) ?? this.findRival(cart, order, claim);
  }

  private async place(command: CheckedCommand, quantities: readonly Quantity[], claim: Claim, cart?: Cart) {
    const offers = await this.prices.offersFor(quantities.map(({ sku }) => sku));
    const lines = priceLines(quantities, offers);
    if (command.expectedTotal) checkTotal(lines, command.expectedTotal);
    const customerId = userIdOf(command.principal);
    const change = placeOrder(
      {
        orderId: uuidv7(),
        number: newOrderNumber(),
        lines,
        email: command.email,
        shippingAddress: command.shippingAddress,
        payment: command.payment,
        ...(customerId && { customerId }),
        ...(cart && { cartId: cart.cartId }),
      },
      new Date(),
    );
    const task = await this.orders.insert({ change, claim, ...(cart && { cartVersion: cart.version }) });
    return { task, order: change.order };
  }

  private async cartToBuy(cartId: string, principal: Principal): Promise<Cart> {
    const cart = await this.carts.get(cartId);
    mayUseCart(cart, principal);
    if (cart.lines.length === 0) throw cartEmpty();
    return cart;
  }

  /** @throws DomainError REQUEST_ID_REUSED where the key was used for another request */
  private async findClaimed(claim: Claim): Promise<Existing | undefined> {
    const claimed = await this.claims.find(claim);
    if (claimed && claimed.fingerprint !== claim.fingerprint) throw requestIdReused();
    return claimed?.orderId;
  }

  /**
   * A second tab, or a buyer who was shown a failure too early and made his cart anew: the cart has its order already, or
   * the customer's other cart has. From now on this key and this cart have it too.
   */
  private async findRival(cart: Cart, order: Order | undefined, claim: Claim): Promise<Existing | undefined> {
    const rival = cart.orderId ?? (order && (await this.claims.findTwin(order)));
    return rival && (await this.claims.addAlias(rival, claim, cart.cartId)) ? rival : undefined;
  }
}

function newOrderNumber(): string {
  const characters = Array.from({ length: 8 }, () => NUMBER_ALPHABET[randomInt(NUMBER_ALPHABET.length)]).join('');
  return `${characters.slice(0, 4)}-${characters.slice(4)}`;
}
