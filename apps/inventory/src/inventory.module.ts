import { Module, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { connectEvents, ensureStream, EventBus } from '@souk/events';
import { OutboxRelay } from '@souk/outbox';
import { Database, waitForDatabase } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { readConfig } from './config.js';
import { EventConsumers } from './event-consumers.js';
import { InventoryGrpc } from './inventory.grpc.js';
import { StockStore } from './stock.store.js';

const SERVICE = 'inventory';
const logger = createLogger(SERVICE);

@Module({
  providers: [
    {
      provide: Database,
      useFactory: async () => {
        const database = Database.connect({ url: readConfig().DATABASE_URL, name: SERVICE });
        await waitForDatabase(database, logger);
        return database;
      },
    },
    {
      provide: EventBus,
      useFactory: async () => {
        const { NATS_URL: url, NATS_PREFIX: prefix } = readConfig();
        const bus = await connectEvents({ url, prefix, name: SERVICE, logger });
        await ensureStream(bus, SERVICE);
        return bus;
      },
    },
    {
      provide: OutboxRelay,
      useFactory: (database: Database, bus: EventBus) => new OutboxRelay({ database, bus, source: SERVICE, logger }),
      inject: [Database, EventBus],
    },
    {
      provide: StockStore,
      useFactory: (database: Database, relay: OutboxRelay) => new StockStore(database, relay),
      inject: [Database, OutboxRelay],
    },
    {
      provide: EventConsumers,
      useFactory: (database: Database, bus: EventBus, relay: OutboxRelay, store: StockStore) =>
        new EventConsumers({ database, bus, relay, store, logger }),
      inject: [Database, EventBus, OutboxRelay, StockStore],
    },
    InventoryGrpc,
  ],
})
export class InventoryModule implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
    private readonly relay: OutboxRelay,
    private readonly consumers: EventConsumers,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.relay.start();
    await this.consumers.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.consumers.stop();
    await this.relay.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.close();
    await this.database.close();
  }
}
