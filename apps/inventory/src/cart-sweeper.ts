/**
 * Sets free what carts hold whose time is up, soon after it is. Any number of replicas may sweep: a hold that one is at is
 * skipped by the others. No sale depends on it: who needs such units sets them free by himself (see stock.store.ts). It
 * keeps the levels that are told true while nobody buys, and the table small.
 */
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import type { StockStore } from './stock.store.js';

const BATCH = 100;

const expired = metrics.counter('inventory_cart_holds_expired_total');

export class CartSweeper {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly store: Pick<StockStore, 'expireCarts'>,
    logger: Logger,
  ) {
    this.loop = new WorkerLoop({ name: 'the cart sweeper', round: () => this.round(), logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Finishes the round that is under way. */
  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<Outcome> {
    const count = await this.store.expireCarts(BATCH);
    expired.inc({}, count);
    return count < BATCH ? 'done' : 'more';
  }
}
