import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { EventBus } from '@souk/events';
import { EventConsumer, type ReceivedEvent } from '@souk/inbox';
import type { Database, Transaction } from '@souk/postgres';
import { OrderConfirmed, OrderFulfilled } from '@souk/proto/orders/v1';
import { metrics, type Logger } from '@souk/telemetry';
import { toOrdersToCapture } from './payments.events.js';
import type { PaymentsStore } from './payments.store.js';

export interface EventConsumersOptions {
  readonly database: Database;
  readonly bus: EventBus;
  readonly store: PaymentsStore;
  readonly logger: Logger;
  /** Called when captures became due. */
  readonly wake: () => void;
  readonly captureAt: 'confirm' | 'fulfilment';
}

const missing = metrics.counter('payments_missing_total', 'Orders whose money was wanted and that have no payment');

/** What this service does about the events of others: notes that the money of an order is due. Taking it is the worker's. */
export class EventConsumers implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly consumer: EventConsumer<OrderConfirmed> | EventConsumer<OrderFulfilled>;

  constructor({ database, bus, store, logger, wake, captureAt }: EventConsumersOptions) {
    const handle = async (tx: Transaction, events: ReceivedEvent<OrderConfirmed | OrderFulfilled>[]) => {
      const orphans = await store.requestCaptures(toOrdersToCapture(events), tx);
      if (orphans.length === 0) return;
      missing.inc(orphans.length);
      logger.error({ orderIds: orphans }, 'these orders have no payment to capture');
    };
    const common = { database, bus, logger, handle, afterCommit: wake };
    this.consumer =
      captureAt === 'confirm'
        ? new EventConsumer({
            ...common,
            durable: 'payments-OrderConfirmed',
            type: 'souk.orders.v1.OrderConfirmed',
            decode: OrderConfirmed.fromJSON,
          })
        : new EventConsumer({
            ...common,
            durable: 'payments-OrderFulfilled',
            type: 'souk.orders.v1.OrderFulfilled',
            decode: OrderFulfilled.fromJSON,
          });
  }

  onApplicationBootstrap(): Promise<void> {
    return this.consumer.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.consumer.stop();
  }
}
