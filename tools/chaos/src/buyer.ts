/**
 * Somebody who buys: by lines and by carts, with good and bad cards; who presses the button twice, opens a second tab, calls
 * orders off, gives up too early, and asks again with the same key when no answer came.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt, KnownOrder, ShopClient, Told } from './client.ts';
import { AMPLE, SCARCE } from './goods.ts';
import type { Line } from './history.ts';
import type { Random } from './random.ts';

const CARDS = {
  manual: 22,
  pm_card_visa: 46,
  pm_card_mastercard: 5,
  pm_card_chargeDeclined: 4,
  pm_card_chargeDeclinedInsufficientFunds: 4,
  pm_card_authenticationRequired: 2,
  pm_sandbox_slow_800: 4,
  pm_sandbox_slow_3000: 4,
  pm_sandbox_timeoutAfterCharge: 4,
  pm_sandbox_timeoutBeforeCharge: 2,
  pm_sandbox_error500: 3,
} as const;

const HABITS = {
  oneLine: 34,
  manyLines: 16,
  cart: 10,
  heldCart: 8,
  secondTab: 6,
  doubleClick: 8,
  falseFailure: 5,
  cancelEarlier: 8,
  lookAtEarlier: 5,
  askAgain: 5,
} as const;

const REMEMBERED = 60;
const MOST_REPEATS = 4;

export class Buyer {
  readonly #client: ShopClient;
  readonly #random: Random;
  readonly #orders: KnownOrder[] = [];
  readonly #attempts: Attempt[] = [];
  readonly #inDoubt = new Set<Attempt>();

  constructor(client: ShopClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** Buys until it is told to stop. */
  async shop(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.#doSomething();
      await sleep(this.#random.between(50, 400));
    }
  }

  /** Once all is well again: asks for what was never answered, and for some of what was, with the keys of then. */
  async comeBack(): Promise<void> {
    for (const attempt of this.#inDoubt) if (this.#random.chance(0.7)) await this.#place(attempt);
    for (const attempt of this.#attempts) if (this.#random.chance(0.25)) await this.#place(attempt);
  }

  async #doSomething(): Promise<void> {
    const random = this.#random;
    switch (random.weighted(HABITS)) {
      case 'oneLine':
        return void (await this.#buy({ lines: [this.#line(0.6)] }));
      case 'manyLines':
        return void (await this.#buy({ lines: this.#lines() }));
      case 'cart':
        return this.#buyCart(false);
      case 'heldCart':
        return this.#buyCart(true);
      case 'secondTab':
        return this.#buyInTwoTabs();
      case 'doubleClick': {
        const attempt = this.#attempt({ lines: [this.#line(0.6)] });
        return void (await Promise.all([this.#place(attempt), this.#place(attempt)]));
      }
      case 'falseFailure':
        return this.#buyAnew();
      case 'cancelEarlier':
        return void (this.#orders.length > 0 && (await this.#client.cancelOrder(random.pick(this.#orders))));
      case 'lookAtEarlier':
        return void (this.#orders.length > 0 && (await this.#client.readOrder(random.pick(this.#orders))));
      case 'askAgain':
        return void (this.#attempts.length > 0 && (await this.#place(random.pick(this.#attempts))));
    }
  }

  async #buyCart(held: boolean): Promise<void> {
    const cartId = await this.#client.fillCart(this.#lines());
    if (!cartId) return;
    if (held) {
      await this.#client.holdCart(cartId);
      if (this.#random.chance(0.2)) return void (await this.#client.deleteCart(cartId));
    }
    await this.#buy({ cartId });
  }

  async #buyInTwoTabs(): Promise<void> {
    const cartId = await this.#client.fillCart(this.#lines());
    if (!cartId) return;
    const tabs = [this.#attempt({ cartId }), this.#attempt({ cartId })];
    await Promise.all(tabs.map((attempt) => this.#place(attempt)));
  }

  /** Gives up too early, fills another cart with the same things, and buys that. */
  async #buyAnew(): Promise<void> {
    const lines = this.#lines();
    const carts = [await this.#client.fillCart(lines), await this.#client.fillCart(lines)];
    for (const [index, cartId] of carts.entries()) {
      if (cartId) await this.#place(this.#attempt({ cartId }), index === 0 ? this.#random.between(20, 500) : undefined);
    }
  }

  /** Places an order and, where no answer comes, asks again some times with the same key. */
  async #buy(what: Pick<Attempt, 'lines' | 'cartId'>): Promise<void> {
    const attempt = this.#attempt(what);
    const repeats = this.#random.chance(0.85) ? MOST_REPEATS : 0;
    for (let repeat = 0; ; repeat++) {
      const told = await this.#place(attempt);
      if (told.outcome === 'ok' && told.order && this.#random.chance(0.1)) await this.#client.cancelOrder(told.order);
      if (told.outcome !== 'unknown' || repeat >= repeats) return;
      await sleep(this.#random.between(200, 1_500));
    }
  }

  async #place(attempt: Attempt, patienceMs?: number): Promise<Told> {
    const told = await this.#client.placeOrder(attempt, patienceMs);
    if (told.outcome === 'unknown') this.#inDoubt.add(attempt);
    else this.#inDoubt.delete(attempt);
    if (told.outcome === 'ok' && told.order) remember(this.#orders, told.order);
    if (told.outcome !== 'unknown') remember(this.#attempts, attempt);
    return told;
  }

  #attempt(what: Pick<Attempt, 'lines' | 'cartId'>): Attempt {
    const card = this.#random.weighted(CARDS);
    return { key: this.#random.uuid(), ...what, ...(card !== 'manual' && { card }) };
  }

  #lines(): Line[] {
    const lines = Array.from({ length: this.#random.between(1, 4) }, () => this.#line(0.4));
    return [...new Map(lines.map((line) => [line.sku, line])).values()];
  }

  #line(scarce: number): Line {
    const { sku } = this.#random.pick(this.#random.chance(scarce) ? SCARCE : AMPLE);
    return { sku, quantity: this.#random.between(1, 3) };
  }
}

function remember<T>(list: T[], item: T): void {
  if (list.includes(item)) return;
  list.push(item);
  if (list.length > REMEMBERED) list.shift();
}
