import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { proofOf } from '@souk/config';
import { EventBus } from '@souk/events';
import { Checks } from '@souk/operations';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { PersonalData, PrivacyGrpc } from '@souk/privacy';
import { CatalogServiceService } from '@souk/proto/catalog/v1';
import { IdentityServiceService } from '@souk/proto/identity/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { PaymentsServiceService } from '@souk/proto/payments/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { Consumers, DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { OrderAccess } from './access.js';
import { CancelOrder } from './cancel-order.js';
import { CartHolds } from './cart-holds.js';
import { CartsGrpc } from './carts.grpc.js';
import { CartsStore } from './carts.store.js';
import { ChecksStore } from './checks/checks.store.js';
import { ordersHoldsCheck } from './checks/orders-holds.js';
import { ordersPaymentsCheck } from './checks/orders-payments.js';
import { ordersSagasCheck } from './checks/orders-sagas.js';
import { CheckoutSaga, SAGA_VERSION } from './checkout-saga.js';
import { ClaimsStore } from './claims.store.js';
import { ClientDigests } from './client-digests.js';
import type { OrdersConfig } from './config.js';
import { ordersConsumers } from './orders.consumers.js';
import { GuestOrders, type IdentityPort } from './guest-orders.js';
import { OrdersGrpc, OrderWait } from './orders.grpc.js';
import { OrdersStore } from './orders.store.js';
import { PlaceOrder } from './place-order.js';
import { Prices } from './prices.js';
import { PersonalOrders } from './privacy/personal-orders.js';
import { PersonalOrdersStore } from './privacy/personal-orders.store.js';
import { ResumeOrders } from './resume-orders.js';
import { SagaRunner } from './saga-runner.js';
import { SagasStore } from './sagas.store.js';

const IDENTITY = Symbol('identity');
const CATALOG = Symbol('catalog');
const INVENTORY = Symbol('inventory');
const PAYMENTS = Symbol('payments');

type InventoryClient = RpcClient<InventoryServiceService>;
type PaymentsClient = RpcClient<PaymentsServiceService>;

@Module({})
export class OrdersModule {
  static with(config: OrdersConfig, logger: Logger): DynamicModule {
    const data = { name: 'orders', config, logger, forgetsClaims: true };
    return {
      module: OrdersModule,
      imports: [DataModule.with(data)],
      providers: [...neighbours(config), ...parts(config, logger), ...operations(data)],
    };
  }
}

function neighbours(config: OrdersConfig): Provider[] {
  const client = { caller: 'orders', ...proofOf(config) };
  return [
    {
      provide: IDENTITY,
      useFactory: () => rpcClient(IdentityServiceService, { ...client, address: config.SOUK_IDENTITY_ADDRESS }),
    },
    {
      provide: CATALOG,
      useFactory: () => rpcClient(CatalogServiceService, { ...client, address: config.SOUK_CATALOG_ADDRESS }),
    },
    {
      provide: INVENTORY,
      useFactory: () => rpcClient(InventoryServiceService, { ...client, address: config.SOUK_INVENTORY_ADDRESS }),
    },
    {
      provide: PAYMENTS,
      useFactory: () => rpcClient(PaymentsServiceService, { ...client, address: config.SOUK_PAYMENTS_ADDRESS }),
    },
  ];
}

function parts(config: OrdersConfig, logger: Logger): Provider[] {
  return [
    ...stores(config),
    ...sagas(logger),
    ...stock(config, logger),
    consumers(logger),
    checks(),
    ...privacy(),
    {
      provide: GuestOrders,
      inject: [Database, IDENTITY],
      useFactory: (database: Database, identity: IdentityPort) => new GuestOrders(database, identity, () => new Date()),
    },
    { provide: OrderAccess, useValue: new OrderAccess(config.SOUK_ORDER_TOKEN_SECRET) },
    { provide: ClientDigests, useValue: new ClientDigests(config.SOUK_ORDER_TOKEN_SECRET) },
    { provide: OrderWait, useValue: new OrderWait(config.SOUK_ORDER_WAIT_MS) },
    PlaceOrder,
    CancelOrder,
    ResumeOrders,
    OrdersGrpc,
    CartsGrpc,
  ];
}

function stores(config: OrdersConfig): Provider[] {
  const lease = { leaseMs: config.SOUK_SAGA_LEASE_MS, sagaVersion: SAGA_VERSION };
  return [
    {
      provide: OrdersStore,
      inject: [Database, OutboxRelay],
      useFactory: (database: Database, relay: OutboxRelay) =>
        new OrdersStore(database, { ...lease, onCommitted: () => relay.wake() }),
    },
    {
      provide: SagasStore,
      inject: [Database],
      useFactory: (database: Database) => new SagasStore(database, lease),
    },
    ClaimsStore,
    CartsStore,
    ChecksStore,
  ];
}

function sagas(logger: Logger): Provider[] {
  return [
    {
      provide: CheckoutSaga,
      inject: [OrdersStore, INVENTORY, PAYMENTS],
      useFactory: (orders: OrdersStore, inventory: InventoryClient, payments: PaymentsClient) =>
        new CheckoutSaga(orders, inventory, payments, () => new Date()),
    },
    {
      provide: SagaRunner,
      inject: [OrdersStore, SagasStore, CheckoutSaga],
      useFactory: (orders: OrdersStore, sagas: SagasStore, saga: CheckoutSaga) =>
        new SagaRunner(orders, sagas, saga, logger),
    },
  ];
}

/** What is asked of catalogue and stock for a cart. */
function stock(config: OrdersConfig, logger: Logger): Provider[] {
  return [
    {
      provide: Prices,
      inject: [CATALOG],
      useFactory: (catalog: RpcClient<CatalogServiceService>) => new Prices(catalog),
    },
    {
      provide: CartHolds,
      inject: [INVENTORY],
      useFactory: (inventory: InventoryClient) => new CartHolds(inventory, config.SOUK_ORDER_CART_HOLD_SECONDS, logger),
    },
  ];
}

function consumers(logger: Logger): Provider {
  return {
    provide: Consumers,
    inject: [Database, EventBus, OutboxRelay, OrdersStore, SagaRunner],
    useFactory: (database: Database, bus: EventBus, relay: OutboxRelay, orders: OrdersStore, runner: SagaRunner) => {
      const afterCommit = () => [relay, runner].forEach((worker) => worker.wake());
      return ordersConsumers(orders, { database, bus, logger, afterCommit });
    },
  };
}

/** What is kept of customers, for exports and erasures. */
function privacy(): Provider[] {
  return [
    {
      provide: PersonalData,
      inject: [Database, EventBus],
      useFactory: (database: Database, bus: EventBus) =>
        new PersonalOrders(new PersonalOrdersStore(database), database, bus),
    },
    {
      provide: PrivacyGrpc,
      inject: [PersonalData],
      useFactory: (data: PersonalData) => new PrivacyGrpc(data),
    },
  ];
}

function checks(): Provider {
  return {
    provide: Checks,
    inject: [ChecksStore, INVENTORY, PAYMENTS],
    useFactory: (orders: ChecksStore, inventory: InventoryClient, payments: PaymentsClient) =>
      new Checks([
        ordersHoldsCheck(orders, inventory),
        ordersPaymentsCheck(orders, payments),
        ordersSagasCheck(orders),
      ]),
  };
}
