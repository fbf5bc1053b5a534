/**
 * The connections of a service that keeps data: its database, the event bus and the relay of its outbox, each waited for
 * at the start, which says for what, and closed at the end, after everything that uses them has stopped.
 */
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AuditTrail } from '@souk/audit';
import { connectEvents, EventBus } from '@souk/events';
import { ClaimsPruner } from '@souk/idempotency';
import { OutboxRelay } from '@souk/outbox';
import { Database, waitForDatabase } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import type { DataConfig } from './config.js';
import { optional } from './optional.js';

export interface DataOptions {
  /** Short name of the service, for example `orders`. */
  readonly name: string;
  readonly config: DataConfig;
  readonly logger: Logger;
  /** False for a service without events of its own: it has no outbox and no relay. */
  readonly publishes?: boolean;
  /** True for a service whose claims (@souk/idempotency) are deleted after 30 days; otherwise they stay for ever. */
  readonly forgetsClaims?: boolean;
}

@Module({})
export class DataModule {
  /** Provides Database, EventBus, AuditTrail and OutboxRelay to all modules of the service. */
  static with(options: DataOptions): DynamicModule {
    const { publishes = true, forgetsClaims = false } = options;
    return {
      module: DataModule,
      global: true,
      providers: [
        ...connections(options),
        ...(publishes ? [relay(options)] : []),
        ...(forgetsClaims ? [claimsPruner(options)] : []),
      ],
      exports: [Database, EventBus, AuditTrail, ...(publishes ? [OutboxRelay] : [])],
    };
  }
}

function connections({ name, config, logger }: DataOptions): Provider[] {
  return [
    {
      provide: Database,
      useFactory: async () => {
        const database = Database.connect({ url: config.DATABASE_URL, name });
        await waitForDatabase(database, logger);
        return database;
      },
    },
    {
      provide: EventBus,
      useFactory: () => connectEvents({ url: config.NATS_URL, prefix: config.NATS_PREFIX, name, logger }),
    },
    {
      provide: AuditTrail,
      inject: [Database],
      useFactory: (database: Database) =>
        new AuditTrail({ service: name, database, logger, keepDays: config.SOUK_AUDIT_DAYS }),
    },
    {
      provide: Connections,
      inject: [Database, EventBus, optional(OutboxRelay), optional(ClaimsPruner)],
      useFactory: (...parts: ConstructorParameters<typeof Connections>) => new Connections(...parts),
    },
  ];
}

function relay({ name, logger }: DataOptions): Provider {
  return {
    provide: OutboxRelay,
    inject: [Database, EventBus],
    useFactory: (database: Database, bus: EventBus) => new OutboxRelay({ database, bus, source: name, logger }),
  };
}

function claimsPruner({ logger }: DataOptions): Provider {
  return {
    provide: ClaimsPruner,
    inject: [Database],
    useFactory: (database: Database) => new ClaimsPruner(database, logger),
  };
}

class Connections {
  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
    private readonly relay?: OutboxRelay,
    private readonly pruner?: ClaimsPruner,
  ) {}

  onApplicationBootstrap(): void {
    this.relay?.start();
    this.pruner?.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.pruner?.stop();
  }

  /** After consumers and workers have stopped in `onModuleDestroy`, so that what they wrote last is published too. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.relay?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.close();
    await this.database.close();
  }
}
