import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { CatalogGrpc } from './catalog.grpc.js';
import { CatalogStore } from './catalog.store.js';
import type { CatalogConfig } from './config.js';
import { ImportWorker } from './import/import-worker.js';
import { ImportStore } from './import/import.store.js';
import { UploadImport } from './import/upload-import.js';
import { PriceList } from './price-list.js';

@Module({})
export class CatalogModule {
  static with(config: CatalogConfig, logger: Logger): DynamicModule {
    const data = { name: 'catalog', config, logger };
    return {
      module: CatalogModule,
      imports: [DataModule.with(data)],
      providers: [...parts(config, logger), ...operations(data)],
    };
  }
}

function parts(config: CatalogConfig, logger: Logger): Provider[] {
  const currency = config.SOUK_CURRENCY;
  return [
    {
      provide: CatalogStore,
      inject: [Database, OutboxRelay],
      useFactory: (database: Database, relay: OutboxRelay) => new CatalogStore(database, relay),
    },
    {
      provide: PriceList,
      inject: [Database],
      useFactory: (database: Database) => new PriceList(database),
    },
    {
      provide: ImportStore,
      inject: [Database],
      useFactory: (database: Database) => new ImportStore(database),
    },
    {
      provide: ImportWorker,
      inject: [Database, ImportStore, OutboxRelay],
      useFactory: (database: Database, imports: ImportStore, relay: OutboxRelay) =>
        new ImportWorker({ database, imports, relay, currency, logger }),
    },
    {
      provide: UploadImport,
      inject: [ImportStore, ImportWorker],
      useFactory: (imports: ImportStore, worker: ImportWorker) =>
        new UploadImport(imports, worker, config.SOUK_IMPORT_MAX_BYTES),
    },
    {
      provide: CatalogGrpc,
      inject: [CatalogStore, PriceList, ImportStore, UploadImport],
      useFactory: (store: CatalogStore, prices: PriceList, imports: ImportStore, upload: UploadImport) =>
        new CatalogGrpc(store, prices, imports, upload, currency),
    },
  ];
}
