import type { EventBus } from '@souk/events';
import { EventConsumer } from '@souk/inbox';
import type { OutboxRelay } from '@souk/outbox';
import type { Database } from '@souk/postgres';
import { VariantAdded } from '@souk/proto/catalog/v1';
import { OrderConfirmed } from '@souk/proto/orders/v1';
import type { Logger } from '@souk/telemetry';
import { toOpening, toSoldOrder } from './inventory.events.js';
import type { StockStore } from './stock.store.js';

export interface EventConsumersOptions {
  readonly database: Database;
  readonly bus: EventBus;
  readonly relay: OutboxRelay;
  readonly store: StockStore;
  readonly logger: Logger;
}

/** What this service does about the events of others: new SKUs are opened, confirmed orders are sold. */
export class EventConsumers {
  private readonly variantAdded: EventConsumer<VariantAdded>;
  private readonly orderConfirmed: EventConsumer<OrderConfirmed>;

  constructor({ database, bus, relay, store, logger }: EventConsumersOptions) {
    const common = { database, bus, logger, afterCommit: () => relay.wake() };
    this.variantAdded = new EventConsumer({
      ...common,
      durable: 'inventory-VariantAdded',
      type: 'souk.catalog.v1.VariantAdded',
      decode: VariantAdded.fromJSON,
      handle: (tx, events) => store.open(tx, events.map(toOpening)),
    });
    this.orderConfirmed = new EventConsumer({
      ...common,
      durable: 'inventory-OrderConfirmed',
      type: 'souk.orders.v1.OrderConfirmed',
      decode: OrderConfirmed.fromJSON,
      handle: (tx, events) => store.sell(tx, events.map(toSoldOrder)),
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.variantAdded.start(), this.orderConfirmed.start()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.variantAdded.stop(), this.orderConfirmed.stop()]);
  }
}
