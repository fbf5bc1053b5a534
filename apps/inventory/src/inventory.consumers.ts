import type { EventBus } from '@souk/events';
import { EventConsumer } from '@souk/inbox';
import type { OutboxRelay } from '@souk/outbox';
import type { Database } from '@souk/postgres';
import { VariantAdded } from '@souk/proto/catalog/v1';
import { OrderConfirmed } from '@souk/proto/orders/v1';
import { Consumers } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { toOpening, toSoldOrder } from './inventory.events.js';
import type { StockStore } from './stock.store.js';

/** What this service does about the events of others: new SKUs are opened, confirmed orders are sold. */
export function inventoryConsumers(
  store: StockStore,
  parts: { database: Database; bus: EventBus; relay: OutboxRelay; logger: Logger },
): Consumers {
  const { database, bus, relay, logger } = parts;
  const common = { database, bus, logger, afterCommit: () => relay.wake() };
  const variantAdded = new EventConsumer({
    ...common,
    durable: 'inventory-VariantAdded',
    type: 'souk.catalog.v1.VariantAdded',
    decode: VariantAdded.fromJSON,
    handle: (tx, events) => store.open(tx, events.map(toOpening)),
  });
  const orderConfirmed = new EventConsumer({
    ...common,
    durable: 'inventory-OrderConfirmed',
    type: 'souk.orders.v1.OrderConfirmed',
    decode: OrderConfirmed.fromJSON,
    handle: (tx, events) => store.sell(tx, events.map(toSoldOrder)),
  });
  return new Consumers([variantAdded, orderConfirmed]);
}
