import type { EventBus } from '@souk/events';
import { EventConsumer } from '@souk/inbox';
import type { Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import type { MailWorker } from './mail-worker.js';
import { CONSUMED_EVENTS, newsOf, type ConsumedEvent } from './notifications.events.js';
import type { NotificationsStore } from './notifications.store.js';

const BATCH = 500;

/** Writes a mail for what happens to orders, and starts and ends with the service, together with the mail worker. */
export class OrderConsumers {
  private readonly consumers: readonly { start(): Promise<void>; stop(): Promise<void> }[];

  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
    private readonly store: NotificationsStore,
    private readonly worker: MailWorker,
    private readonly logger: Logger,
  ) {
    this.consumers = CONSUMED_EVENTS.map((event) => this.consumerOf(event));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.worker.start();
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
    await this.worker.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.close();
    await this.database.close();
  }

  private consumerOf({ name, kind, decode }: ConsumedEvent) {
    const { database, bus, logger, store, worker } = this;
    return new EventConsumer({
      database,
      bus,
      logger,
      durable: `notifications-${name}`,
      type: `souk.orders.v1.${name}`,
      decode,
      handle: (tx, events) => store.insert(tx, newsOf(kind, events)),
      afterCommit: () => worker.wake(),
      batch: BATCH,
    });
  }
}
