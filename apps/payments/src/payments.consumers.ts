import type { EventBus } from '@souk/events';
import { EventConsumer, type ReceivedEvent } from '@souk/inbox';
import type { Database, Transaction } from '@souk/postgres';
import { OrderConfirmed, OrderFulfilled } from '@souk/proto/orders/v1';
import { Consumers } from '@souk/service';
import { metrics, type Logger } from '@souk/telemetry';
import { toOrdersToCapture } from './payments.events.js';
import type { PaymentsStore } from './payments.store.js';

export interface ConsumerParts {
  readonly database: Database;
  readonly bus: EventBus;
  readonly logger: Logger;
  /** Called when captures became due. */
  readonly wake: () => void;
  readonly captureAt: 'confirm' | 'fulfilment';
}

const missing = metrics.counter('payments_missing_total');

/** What this service does about the events of others: it notes whose money is due. Taking it is the worker's. */
export function paymentsConsumers(store: PaymentsStore, parts: ConsumerParts): Consumers {
  const { database, bus, logger, wake, captureAt } = parts;
  const handle = async (tx: Transaction, events: ReceivedEvent<OrderConfirmed | OrderFulfilled>[]) => {
    const orphans = await store.requestCaptures(toOrdersToCapture(events), tx);
    if (orphans.length === 0) return;
    missing.inc(orphans.length);
    logger.error({ orderIds: orphans }, 'these orders have no payment to capture');
  };
  const common = { database, bus, logger, handle, afterCommit: wake };
  if (captureAt === 'confirm') {
    const type = 'souk.orders.v1.OrderConfirmed';
    const decode = OrderConfirmed.fromJSON;
    return new Consumers([new EventConsumer({ ...common, durable: 'payments-OrderConfirmed', type, decode })]);
  }
  const type = 'souk.orders.v1.OrderFulfilled';
  const decode = OrderFulfilled.fromJSON;
  return new Consumers([new EventConsumer({ ...common, durable: 'payments-OrderFulfilled', type, decode })]);
}
