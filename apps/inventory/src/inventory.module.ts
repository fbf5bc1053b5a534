import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { Checks } from '@souk/operations';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { Consumers, DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { CartSweeper } from './cart-sweeper.js';
import type { InventoryConfig } from './config.js';
import { inventoryConsumers } from './inventory.consumers.js';
import { InventoryGrpc } from './inventory.grpc.js';
import { stockChecks } from './stock-checks.js';
import { StockCorrections } from './stock-corrections.js';
import { StockStore } from './stock.store.js';

@Module({})
export class InventoryModule {
  static with(config: InventoryConfig, logger: Logger): DynamicModule {
    const data = { name: 'inventory', config, logger, forgetsClaims: true };
    return {
      module: InventoryModule,
      imports: [DataModule.with(data)],
      providers: [...parts(logger), ...operations(data)],
    };
  }
}

function parts(logger: Logger): Provider[] {
  return [
    {
      provide: StockStore,
      inject: [Database, OutboxRelay],
      useFactory: (database: Database, relay: OutboxRelay) => new StockStore(database, relay),
    },
    {
      provide: Consumers,
      inject: [StockStore, Database, EventBus, OutboxRelay],
      useFactory: (store: StockStore, database: Database, bus: EventBus, relay: OutboxRelay) =>
        inventoryConsumers(store, { database, bus, relay, logger }),
    },
    {
      provide: StockCorrections,
      inject: [Database, OutboxRelay],
      useFactory: (database: Database, relay: OutboxRelay) => new StockCorrections(database, relay),
    },
    {
      provide: CartSweeper,
      inject: [StockStore],
      useFactory: (store: StockStore) => new CartSweeper(store, logger),
    },
    {
      provide: Checks,
      inject: [Database],
      useFactory: (database: Database) => new Checks(stockChecks(database)),
    },
    InventoryGrpc,
  ];
}
