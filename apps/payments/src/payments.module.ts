import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { Database } from '@souk/postgres';
import { Consumers, DataModule } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { AuthorizePayment } from './authorize-payment.js';
import { CancelPayment } from './cancel-payment.js';
import { CapturePayment } from './capture-payment.js';
import type { PaymentsConfig } from './config.js';
import { paymentsConsumers } from './payments.consumers.js';
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
export class PaymentsModule {
  static with(config: PaymentsConfig, logger: Logger): DynamicModule {
    return {
      module: PaymentsModule,
      imports: [DataModule.with({ name: 'payments', config, logger })],
      providers: parts(config, logger),
    };
  }
}

function parts(config: PaymentsConfig, logger: Logger): Provider[] {
  const { STRIPE_API_KEY: apiKey, STRIPE_API_BASE: apiBase, STRIPE_TIMEOUT_MS: timeoutMs } = config;
  const stripe = stripeClient({ apiKey, apiBase, timeoutMs });
  const now = () => new Date();
  return [
    { provide: LOGGER, useValue: logger },
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
      provide: Consumers,
      inject: [PaymentsStore, Database, EventBus, SettlementWorker],
      useFactory: (store: PaymentsStore, database: Database, bus: EventBus, worker: SettlementWorker) => {
        const wake = () => worker.wake();
        return paymentsConsumers(store, { database, bus, logger, wake, captureAt: config.SOUK_CAPTURE });
      },
    },
    PaymentsGrpc,
  ];
}
