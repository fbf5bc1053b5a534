import {
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { connectEvents, EventBus } from '@souk/events';
import { OutboxRelay } from '@souk/outbox';
import { Database, waitForDatabase } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { AuthorizePayment } from './authorize-payment.js';
import { CancelPayment } from './cancel-payment.js';
import { CapturePayment } from './capture-payment.js';
import type { PaymentsConfig } from './config.js';
import { EventConsumers } from './event-consumers.js';
import { LOGGER, PaymentsGrpc } from './payments.grpc.js';
import { PaymentsStore } from './payments.store.js';
import { Providers } from './providers.js';
import { ManualProvider } from './providers/manual.js';
import { StripeNotices } from './providers/stripe-notices.js';
import { stripeClient, StripeProvider } from './providers/stripe.js';
import { ReceiveWebhook } from './receive-webhook.js';
import { SettlementWorker } from './settlement-worker.js';
import { SettlePayment } from './settle-payment.js';
import { WebhookWorker } from './webhook-worker.js';
import { WebhooksStore } from './webhooks.store.js';

@Module({})
export class PaymentsModule implements OnModuleDestroy, OnApplicationShutdown {
  static with(config: PaymentsConfig, logger: Logger): DynamicModule {
    return { module: PaymentsModule, providers: [...connections(config, logger), ...parts(config, logger)] };
  }

  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
    private readonly relay: OutboxRelay,
  ) {}

  async onModuleDestroy(): Promise<void> {
    await this.relay.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.close();
    await this.database.close();
  }
}

function connections(config: PaymentsConfig, logger: Logger): Provider[] {
  return [
    { provide: LOGGER, useValue: logger },
    {
      provide: Database,
      useFactory: async () => {
        const database = Database.connect({ url: config.DATABASE_URL, name: 'payments' });
        await waitForDatabase(database, logger);
        return database;
      },
    },
    {
      provide: EventBus,
      useFactory: () => connectEvents({ url: config.NATS_URL, prefix: config.NATS_PREFIX, name: 'payments', logger }),
    },
    {
      provide: OutboxRelay,
      inject: [Database, EventBus],
      useFactory: (database: Database, bus: EventBus) => {
        const relay = new OutboxRelay({ database, bus, source: 'payments', logger });
        relay.start();
        return relay;
      },
    },
  ];
}

function parts(config: PaymentsConfig, logger: Logger): Provider[] {
  const stripe = stripeClient({ apiKey: config.STRIPE_API_KEY, apiBase: config.STRIPE_API_BASE });
  const now = () => new Date();
  return [
    PaymentsStore,
    WebhooksStore,
    { provide: Providers, useValue: new Providers(new StripeProvider(stripe, logger), new ManualProvider()) },
    {
      provide: SettlePayment,
      inject: [PaymentsStore, Providers],
      useFactory: (store: PaymentsStore, providers: Providers) => new SettlePayment(store, providers, now, logger),
    },
    {
      provide: AuthorizePayment,
      inject: [PaymentsStore, SettlePayment],
      useFactory: (store: PaymentsStore, settle: SettlePayment) => new AuthorizePayment(store, settle, now),
    },
    {
      provide: CancelPayment,
      inject: [PaymentsStore, SettlePayment],
      useFactory: (store: PaymentsStore, settle: SettlePayment) => new CancelPayment(store, settle, now),
    },
    {
      provide: CapturePayment,
      inject: [PaymentsStore, SettlePayment],
      useFactory: (store: PaymentsStore, settle: SettlePayment) => new CapturePayment(store, settle),
    },
    {
      provide: SettlementWorker,
      inject: [PaymentsStore, SettlePayment],
      useFactory: (store: PaymentsStore, settle: SettlePayment) => new SettlementWorker(store, settle, logger),
    },
    {
      provide: WebhookWorker,
      inject: [WebhooksStore, PaymentsStore, SettlePayment, Providers],
      useFactory: (webhooks: WebhooksStore, payments: PaymentsStore, settle: SettlePayment, providers: Providers) =>
        new WebhookWorker(webhooks, payments, settle, providers, logger),
    },
    {
      provide: ReceiveWebhook,
      inject: [WebhooksStore, WebhookWorker],
      useFactory: (store: WebhooksStore, worker: WebhookWorker) =>
        new ReceiveWebhook(new StripeNotices(stripe, config.STRIPE_WEBHOOK_SECRET), store, worker),
    },
    {
      provide: EventConsumers,
      inject: [Database, EventBus, PaymentsStore, SettlementWorker],
      useFactory: (database: Database, bus: EventBus, store: PaymentsStore, worker: SettlementWorker) =>
        new EventConsumers({
          ...{ database, bus, store, logger },
          wake: () => worker.wake(),
          captureAt: config.SOUK_CAPTURE,
        }),
    },
    PaymentsGrpc,
  ];
}
