/** Somebody who works in the shop: fills the shelves, hands orders to the carrier, takes money and gives it back. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShopClient, Told } from './client.ts';
import { SCARCE } from './goods.ts';
import type { History } from './history.ts';
import type { Random } from './random.ts';

const TASKS = { count: 15, adjust: 25, fulfil: 25, capture: 10, refund: 25 } as const;
const MOST_REPEATS = 5;

export class Staff {
  readonly #client: ShopClient;
  readonly #history: History;
  readonly #random: Random;

  constructor(client: ShopClient, history: History, random: Random) {
    this.#client = client;
    this.#history = history;
    this.#random = random;
  }

  /** Works until it is told to stop. */
  async work(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.#doSomething();
      await sleep(this.#random.between(150, 600));
    }
  }

  #doSomething(): Promise<Told | undefined> {
    const random = this.#random;
    const { sku } = random.pick(SCARCE);
    const key = random.uuid();
    switch (random.weighted(TASKS)) {
      case 'count':
        return this.#count(sku, key);
      case 'adjust':
        return this.#adjust(sku, key);
      case 'fulfil':
        return this.#withOrder((orderId) => this.#client.fulfilOrder(orderId));
      case 'capture':
        return this.#withOrder((orderId) => this.#untilAnswered(() => this.#client.captureOrder(orderId, key)));
      case 'refund':
        return this.#refund(key);
    }
  }

  /** Counts a few more than there are: a delivery that nobody had noted. */
  async #count(sku: string, key: string): Promise<Told | undefined> {
    const onHand = await this.#client.stockOf(sku);
    if (onHand === undefined) return undefined;
    const counted = onHand + this.#random.between(0, 12);
    return this.#untilAnswered(() => this.#client.countStock(sku, counted, key));
  }

  async #adjust(sku: string, key: string): Promise<Told | undefined> {
    const delta = this.#random.chance(0.8) ? this.#random.between(3, 12) : -this.#random.between(1, 3);
    return this.#untilAnswered(() => this.#client.adjustStock(sku, delta, key));
  }

  async #refund(key: string): Promise<Told | undefined> {
    return this.#withOrder((orderId, total) => {
      const amount = this.#random.chance(0.5) ? total : Math.ceil(total / this.#random.between(2, 5));
      return this.#untilAnswered(() => this.#client.refundOrder(orderId, key, amount));
    });
  }

  /** Picks an order that somebody was told is confirmed. */
  async #withOrder(work: (orderId: string, total: number) => Promise<Told>): Promise<Told | undefined> {
    const confirmed = this.#history
      .of('place order')
      .slice(-2_000)
      .filter(({ state }) => state === 'CONFIRMED');
    if (confirmed.length === 0) return undefined;
    const { orderId = '', total = 0 } = this.#random.pick(confirmed);
    return work(orderId, total);
  }

  async #untilAnswered(call: () => Promise<Told>): Promise<Told> {
    for (let repeat = 1; ; repeat++) {
      const told = await call();
      if (told.outcome !== 'unknown' || repeat > MOST_REPEATS) return told;
      await sleep(this.#random.between(200, 1_000));
    }
  }
}
