import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { Checks } from '@souk/operations';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { PersonalData, PrivacyGrpc } from '@souk/privacy';
import { Consumers, DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import type Stripe from 'stripe';
import { AuthorizePayment } from './authorize-payment.js';
import { CancelPayment } from './cancel-payment.js';
import { CapturePayment } from './capture-payment.js';
import { CardTries } from './card-tries.js';
import { cardLimits, type PaymentsConfig } from './config.js';
import { ChecksStore } from './checks/checks.store.js';
import { ledgerBalanceCheck } from './checks/ledger-balance.js';
import { paymentsProviderCheck } from './checks/payments-provider.js';
import { paymentsStuckCheck } from './checks/payments-stuck.js';
import { LeasesStore } from './leases.store.js';
import { paymentsConsumers } from './payments.consumers.js';
import { LOGGER, PaymentsGrpc } from './payments.grpc.js';
import { PaymentsStore } from './payments.store.js';
import { PersonalPayments } from './privacy/personal-payments.js';
import { Providers } from './providers.js';
import { ManualProvider } from './providers/manual.js';
import { StripeBooks } from './providers/stripe-books.js';
import { StripeNotices } from './providers/stripe-notices.js';
import { stripeClient, StripeProvider } from './providers/stripe.js';
import { ReceiveWebhook } from './receive-webhook.js';
import { RefundPayment } from './refund-payment.js';
import { SettleOrder } from './settle-order.js';
import { SettlementWorker } from './settlement-worker.js';
import { SettlePayment } from './settle-payment.js';
import { SyncPayment } from './sync-payment.js';
import { UnsettledCount } from './unsettled-count.js';
import { WebhookWorker } from './webhook-worker.js';
import { WebhooksStore } from './webhooks.store.js';

/** The client of Stripe's API. */
export const STRIPE = Symbol('Stripe');

@Module({})
export class PaymentsModule {
  static with(config: PaymentsConfig, logger: Logger): DynamicModule {
    // Its claims stay for ever: what moved money for a key once never does so again.
    const data = { name: 'payments', config, logger };
    return {
      module: PaymentsModule,
      imports: [DataModule.with(data)],
      providers: [...parts(config, logger), ...operations(data)],
    };
  }
}

const HOUR_MS = 60 * 60 * 1000;
const now = () => new Date();

function parts(config: PaymentsConfig, logger: Logger): Provider[] {
  const { STRIPE_API_KEY: apiKey, STRIPE_API_BASE: apiBase, STRIPE_TIMEOUT_MS: timeoutMs } = config;
  return [
    { provide: LOGGER, useValue: logger },
    { provide: STRIPE, useFactory: () => stripeClient({ apiKey, apiBase, timeoutMs }) },
    {
      provide: StripeProvider,
      inject: [STRIPE],
      useFactory: (stripe: Stripe) => new StripeProvider(stripe, config.STRIPE_MULTICAPTURE === 'on', logger),
    },
    {
      provide: Providers,
      inject: [StripeProvider],
      useFactory: (card: StripeProvider) => new Providers(card, new ManualProvider()),
    },
    PaymentsStore,
    WebhooksStore,
    {
      provide: LeasesStore,
      inject: [Database, OutboxRelay],
      useFactory: (database: Database, relay: OutboxRelay) =>
        new LeasesStore(database, relay, config.SOUK_CAPTURE_WITHIN_HOURS * HOUR_MS, new CardTries(cardLimits(config))),
    },
    ...useCases(logger),
    {
      provide: SettlementWorker,
      inject: [LeasesStore, SettlePayment],
      useFactory: (leases: LeasesStore, settle: SettlePayment) => new SettlementWorker(leases, settle, logger),
    },
    {
      provide: UnsettledCount,
      inject: [Database],
      useFactory: (database: Database) => new UnsettledCount(database, logger),
    },
    {
      provide: WebhookWorker,
      inject: [WebhooksStore, PaymentsStore, LeasesStore, SettlePayment, Providers],
      useFactory: (...parts: [WebhooksStore, PaymentsStore, LeasesStore, SettlePayment, Providers]) =>
        new WebhookWorker(...parts, logger),
    },
    {
      provide: ReceiveWebhook,
      inject: [WebhooksStore, WebhookWorker],
      useFactory: (store: WebhooksStore, worker: WebhookWorker) =>
        new ReceiveWebhook(new StripeNotices(config.STRIPE_WEBHOOK_SECRET), store, worker),
    },
    {
      provide: Consumers,
      inject: [PaymentsStore, Database, EventBus, SettlementWorker],
      useFactory: (store: PaymentsStore, database: Database, bus: EventBus, worker: SettlementWorker) => {
        const wake = () => worker.wake();
        return paymentsConsumers(store, { database, bus, logger, wake, captureAt: config.SOUK_CAPTURE });
      },
    },
    {
      provide: PersonalData,
      inject: [Database],
      useFactory: (database: Database) => new PersonalPayments(database),
    },
    {
      provide: PrivacyGrpc,
      inject: [PersonalData],
      useFactory: (data: PersonalData) => new PrivacyGrpc(data),
    },
    ChecksStore,
    {
      provide: Checks,
      inject: [ChecksStore, PaymentsStore, StripeProvider, STRIPE],
      useFactory: (checks: ChecksStore, payments: PaymentsStore, provider: StripeProvider, stripe: Stripe) =>
        new Checks([
          paymentsProviderCheck({ checks, payments, provider, books: new StripeBooks(stripe), now }),
          paymentsStuckCheck(checks),
          ledgerBalanceCheck(checks, now),
        ]),
    },
    PaymentsGrpc,
  ];
}

function useCases(logger: Logger): Provider[] {
  return [
    {
      provide: SettlePayment,
      inject: [LeasesStore, Providers],
      useFactory: (leases: LeasesStore, providers: Providers) => new SettlePayment(leases, providers, now, logger),
    },
    {
      provide: SettleOrder,
      inject: [PaymentsStore, LeasesStore, SettlePayment],
      useFactory: (...parts: ConstructorParameters<typeof SettleOrder>) => new SettleOrder(...parts),
    },
    {
      provide: AuthorizePayment,
      inject: [PaymentsStore, LeasesStore, SettlePayment],
      useFactory: (...parts: [PaymentsStore, LeasesStore, SettlePayment]) => new AuthorizePayment(...parts, now),
    },
    {
      provide: CancelPayment,
      inject: [PaymentsStore],
      useFactory: (store: PaymentsStore) => new CancelPayment(store, now),
    },
    {
      provide: CapturePayment,
      inject: [PaymentsStore],
      useFactory: (store: PaymentsStore) => new CapturePayment(store, now),
    },
    {
      provide: RefundPayment,
      inject: [PaymentsStore],
      useFactory: (store: PaymentsStore) => new RefundPayment(store, now),
    },
    {
      provide: SyncPayment,
      inject: [PaymentsStore, LeasesStore, SettlePayment, Providers],
      useFactory: (...parts: ConstructorParameters<typeof SyncPayment>) => new SyncPayment(...parts),
    },
  ];
}
