/**
 * When a run is over: nothing is under way, due or unsent any more. Where that does not come about within a bound, something
 * is stuck, and that breaks the promise that every order comes to its end.
 */
import type { OrderRow, OutboxRow, PaymentRow } from './invariants/rows.ts';
import { rowsOf } from './invariants/rows.ts';
import { Violation } from './invariants/violation.ts';
import type { Nemesis } from './nemesis.ts';
import type { Storefront } from './shop/storefront.ts';
import type { World } from './world.ts';

const LOOK_MS = 500;
const LONGEST_MS = 45 * 60 * 1000;
/** What is due later than this is not due. */
const SOON_MS = 12 * 60 * 60 * 1000;
/** While a run comes to rest, idle loops look less often: a timer may be late, and most looks find nothing. */
const SLEEPY_MS = 400;
const SLEEPY_FACTOR = 30;

export class Rest {
  isReached = false;
  private readonly world: World;
  private readonly shop: Storefront;
  private readonly nemesis: Nemesis;
  private sleepiness: number;

  /** @param sleepiness how much longer than asked for the longer timers take in this run */
  constructor(world: World, shop: Storefront, nemesis: Nemesis, sleepiness: number) {
    this.world = world;
    this.shop = shop;
    this.nemesis = nemesis;
    this.sleepiness = sleepiness;
  }

  /** How long a timer of the services takes. */
  stretch(ms: number): number {
    return ms >= SLEEPY_MS ? ms * this.sleepiness : ms;
  }

  /** @throws Violation where something stays unfinished */
  async await(): Promise<void> {
    this.sleepiness = SLEEPY_FACTOR;
    await this.untilNothingIsLeft();
    if (this.nemesis.hasLost) await this.rebuildStreams();
    await this.untilNothingIsLeft();
    this.isReached = true;
  }

  private async untilNothingIsLeft(): Promise<void> {
    const until = this.world.scheduler.now + LONGEST_MS;
    for (;;) {
      await this.shop.pause(LOOK_MS);
      const left = this.left();
      if (left === undefined) return;
      if (this.world.scheduler.now > until) throw new Violation('I4', `it never comes to rest: ${left}`);
    }
  }

  /** What an operator does after the broker has lost something. */
  private async rebuildStreams(): Promise<void> {
    for (const { name, host, running } of this.world.replicas) {
      if (!running?.relay || !name.endsWith('-1')) continue;
      const { relay } = running;
      await new Promise<void>((resolve, reject) => {
        this.world.scheduler.after(0, () => void relay.rebuild().then(() => resolve(), reject), host);
      });
      this.world.trace.add('operator', `has rebuilt the stream of ${name}`);
    }
  }

  private left(): string | undefined {
    return this.leftOfOrders() ?? this.leftOfPayments() ?? this.leftOfStock() ?? this.leftOfEvents();
  }

  private leftOfOrders(): string | undefined {
    const order = rowsOf<OrderRow>(this.world, 'orders', 'orders').find(({ saga_phase: phase }) => phase !== 'DONE');
    if (!order) return undefined;
    const parked = order.saga_parked_at ? ' and parked' : '';
    return `order ${order.order_id} is ${order.state}, ${order.saga_phase}${parked} (${order.saga_error})`;
  }

  private leftOfPayments(): string | undefined {
    const soon = this.world.scheduler.now + SOON_MS;
    const isDue = ({ next_try_at: at }: { next_try_at: Date | null }) => at !== null && at.getTime() < soon;
    const payment = rowsOf<PaymentRow>(this.world, 'payments', 'payments').find(isDue);
    if (payment) return `payment ${payment.payment_id} is ${payment.state} and wants to be settled`;
    const notice = rowsOf<{ next_try_at: Date | null }>(this.world, 'payments', 'webhook_inbox').find(isDue);
    return notice && 'a notice of the provider is not acted on';
  }

  private leftOfStock(): string | undefined {
    return this.world.database('inventory').rows('cart_holds').length > 0 ? 'a cart still holds stock' : undefined;
  }

  private leftOfEvents(): string | undefined {
    for (const [name, database] of this.world.databases) {
      const isPublisher = database.storage.schema.tables.has('outbox');
      const rows = isPublisher ? (database.rows('outbox') as unknown as OutboxRow[]) : [];
      if (rows.some(({ sent_at: at }) => at === null)) return `events of ${name} are not sent`;
    }
    const [durable] = this.world.broker.behind;
    if (durable !== undefined) return `${durable} is behind`;
    return undefined;
  }
}
