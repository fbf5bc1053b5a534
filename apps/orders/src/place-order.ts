import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { userIdOf, type Principal } from '@souk/auth';
import { uuidv7 } from '@souk/postgres';
import { CartsStore } from './carts.store.js';
import { mayUseCart } from './access.js';
import { placeOrder, type Address, type Order } from './domain/order.js';
import { cartEmpty, cartOrdered, requestIdReused } from './domain/order-errors.js';
import { checkOrderInput, type OrderInput } from './domain/order-input.js';
import { priceLines, type Quantity } from './domain/order-pricing.js';
import { OrdersStore, type SagaTask } from './orders.store.js';
import type { Claim } from './orders.rows.js';
import { Prices } from './prices.js';
import { SagaRunner } from './saga-runner.js';

/** Without letters and digits that are read for one another. */
const NUMBER_ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
const TRIES = 5;

export interface PlaceOrderCommand extends OrderInput {
  readonly principal: Principal;
  /** Digest of the request, to tell a repeated request from another one under the same key. */
  readonly fingerprint: string;
}

export interface PlacedOrder {
  readonly order: Order;
  /** Whether the order had been placed before, under the same key or from the same cart. */
  readonly replayed: boolean;
}

/** Acknowledges an order, settles it, and waits for the outcome as long as the caller can. */
@Injectable()
export class PlaceOrder {
  constructor(
    private readonly orders: OrdersStore,
    private readonly carts: CartsStore,
    private readonly prices: Prices,
    private readonly sagas: SagaRunner,
  ) {}

  /** @param waitMs how long to wait for the outcome; after that the order comes back PENDING and is settled all the same */
  async execute(command: PlaceOrderCommand, waitMs: number): Promise<PlacedOrder> {
    checkOrderInput(command);
    const claim: Claim = {
      principal: userIdOf(command.principal) ?? 'guest',
      key: command.requestId,
      fingerprint: command.fingerprint,
    };
    const { task, existing } = await this.placeOnce(command, claim);
    if (existing) return { order: await this.sagas.awaitOutcome(existing.orderId, waitMs), replayed: true };
    const outcome = this.sagas.run(task);
    return { order: await this.sagas.awaitOutcome(task.order.orderId, waitMs, outcome), replayed: false };
  }

  /** Writes the order, or finds the one that this key or this cart already has. */
  private async placeOnce(
    command: PlaceOrderCommand & { shippingAddress: Address },
    claim: Claim,
  ): Promise<{ task: SagaTask; existing?: undefined } | { task?: undefined; existing: Order }> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const task = await this.tryToPlace(command, claim).catch(async (error: unknown) => {
        // A repeated request is answered as it was, though prices, stock or the cart have changed since.
        const existing = await this.findExisting(claim, command.cartId);
        if (existing) return { existing };
        throw error;
      });
      if (task && 'existing' in task) return task;
      if (task) return { task };
      const existing = await this.findExisting(claim, command.cartId);
      if (existing) return { existing };
      // The cart changed while it was being ordered, or the order number was taken: once more.
    }
    throw new Error('The order could not be written.');
  }

  private async tryToPlace(
    command: PlaceOrderCommand & { shippingAddress: Address },
    claim: Claim,
  ): Promise<SagaTask | undefined> {
    const { quantities, cartVersion } = await this.whatToBuy(command);
    const offers = await this.prices.offersFor(quantities.map(({ sku }) => sku));
    const customerId = userIdOf(command.principal);
    const change = placeOrder(
      {
        orderId: uuidv7(),
        number: newOrderNumber(),
        lines: priceLines(quantities, offers),
        email: command.email,
        shippingAddress: command.shippingAddress,
        payment: command.payment,
        ...(customerId && { customerId }),
        ...(command.cartId && { cartId: command.cartId }),
      },
      new Date(),
    );
    return this.orders.insert({ change, claim, ...(cartVersion && { cartVersion }) });
  }

  private async whatToBuy(command: OrderInput & { principal: Principal }) {
    if (!command.cartId) return { quantities: command.lines };
    const cart = await this.carts.get(command.cartId);
    mayUseCart(cart, command.principal);
    if (cart.orderId) throw cartOrdered(cart.orderId);
    if (cart.lines.length === 0) throw cartEmpty();
    return { quantities: cart.lines satisfies readonly Quantity[], cartVersion: cart.version };
  }

  /** @throws DomainError REQUEST_ID_REUSED where the key was used for another request */
  private async findExisting(claim: Claim, cartId: string | undefined): Promise<Order | undefined> {
    const claimed = await this.orders.findByClaim(claim.principal, claim.key);
    if (claimed && claimed.fingerprint !== claim.fingerprint) throw requestIdReused();
    if (claimed) return claimed.order;
    // A second tab, or a buyer who was shown a failure too early: the cart has its order already.
    return cartId === undefined ? undefined : this.orders.findByCart(cartId);
  }
}

function newOrderNumber(): string {
  const characters = Array.from({ length: 8 }, () => NUMBER_ALPHABET[randomInt(NUMBER_ALPHABET.length)]).join('');
  return `${characters.slice(0, 4)}-${characters.slice(4)}`;
}
