/** The services whose code is simulated, and what they read from their environment. */
import { InventoryModule } from '#inventory/inventory.module';
import { OrdersModule } from '#orders/orders.module';
import { PaymentsModule, STRIPE } from '#payments/payments.module';
import { Providers } from '#payments/providers';
import { ManualProvider } from '#payments/providers/manual';
import { stripeClient, StripeProvider } from '#payments/providers/stripe';
import { CatalogServiceService } from '@souk/proto/catalog/v1';
import { IdentityServiceService } from '@souk/proto/identity/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { PaymentsServiceService } from '@souk/proto/payments/v1';
import { guessing } from '../switches.ts';
import type { Blueprint } from './service.ts';

export const WEBHOOK_SECRET = 'whsec_simulation';

const ENVIRONMENT = {
  GRPC_HOST: '127.0.0.1',
  GRPC_PORT: 0,
  DATABASE_URL: 'postgres://simulated',
  NATS_URL: 'nats://simulated',
  NATS_PREFIX: '',
  SOUK_SERVICE_TOKEN: 'a-service-token',
  SOUK_IDENTITY_ADDRESS: '127.0.0.1:1',
  SOUK_RECONCILE_EVERY_SECONDS: 300,
};
/** Never called: their clients are the simulation's. */
const NEIGHBOUR = '127.0.0.1:1';
/** Never called either, and too slow to make for every process. */
const NO_STRIPE = stripeClient({ apiKey: 'sk_test_simulation', apiBase: 'http://127.0.0.1:1', timeoutMs: 8_000 });

export const ORDERS: Blueprint = {
  name: 'orders',
  module: (logger) =>
    OrdersModule.with(
      {
        ...ENVIRONMENT,
        SOUK_ORDER_TOKEN_SECRET: 'a-secret-for-order-tokens',
        SOUK_ORDER_WAIT_MS: 5_000,
        SOUK_SAGA_LEASE_MS: 6_000,
        SOUK_ORDER_CART_HOLD_SECONDS: 8,
        SOUK_CATALOG_ADDRESS: NEIGHBOUR,
        SOUK_INVENTORY_ADDRESS: NEIGHBOUR,
        SOUK_PAYMENTS_ADDRESS: NEIGHBOUR,
      },
      logger,
    ),
  neighbours: {
    identity: IdentityServiceService,
    catalog: CatalogServiceService,
    inventory: InventoryServiceService,
    payments: PaymentsServiceService,
  },
};

export const INVENTORY: Blueprint = {
  name: 'inventory',
  module: (logger) => InventoryModule.with(ENVIRONMENT, logger),
  neighbours: {},
};

export const PAYMENTS: Blueprint = {
  name: 'payments',
  module: (logger) =>
    PaymentsModule.with(
      {
        ...ENVIRONMENT,
        STRIPE_API_KEY: 'sk_test_simulation',
        STRIPE_API_BASE: 'http://127.0.0.1:1',
        STRIPE_TIMEOUT_MS: 8_000,
        STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
        STRIPE_MULTICAPTURE: 'off',
        SOUK_CAPTURE: 'confirm',
        SOUK_CAPTURE_WITHIN_HOURS: 6 * 24,
        // Counted and never reached: what is bought here is not told apart by the reason that a card was refused for.
        SOUK_CARD_DECLINES_PER_ADDRESS: 1_000_000,
        SOUK_CARD_DECLINES_PER_CARD: 1_000_000,
        SOUK_CARD_DECLINES_PER_ACCOUNT: 1_000_000,
        SOUK_CARD_DECLINES_WINDOW_MINUTES: 60,
      },
      logger,
    ),
  neighbours: {},
  parts: ({ provider, switchedOff }, host, logger) => {
    const stripe = new StripeProvider(provider.client(host), false, logger);
    const card = switchedOff === 'unknown-resolution' ? guessing(stripe) : stripe;
    return new Map<unknown, object>([
      [STRIPE, NO_STRIPE],
      [Providers, new Providers(card, new ManualProvider())],
    ]);
  },
};
