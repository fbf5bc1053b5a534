import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { CatalogServiceService } from '@souk/proto/catalog/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { PaymentsServiceService } from '@souk/proto/payments/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { Consumers, DataModule } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { OrderAccess } from './access.js';
import { CancelOrder } from './cancel-order.js';
import { CartHolds } from './cart-holds.js';
import { CartsGrpc } from './carts.grpc.js';
import { CartsStore } from './carts.store.js';
import { CheckoutSaga, SAGA_VERSION } from './checkout-saga.js';
import type { OrdersConfig } from './config.js';
import { ordersConsumers } from './orders.consumers.js';
import { OrdersGrpc, OrderWait } from './orders.grpc.js';
import { OrdersStore } from './orders.store.js';
import { PlaceOrder } from './place-order.js';
import { Prices } from './prices.js';
import { ResumeOrders } from './resume-orders.js';
import { SagaRunner } from './saga-runner.js';
import { SagasStore } from './sagas.store.js';

const CATALOG = Symbol('catalog');
const INVENTORY = Symbol('inventory');
const PAYMENTS = Symbol('payments');

@Module({})
export class OrdersModule {
  static with(config: OrdersConfig, logger: Logger): DynamicModule {
    return {
      module: OrdersModule,
      imports: [DataModule.with({ name: 'orders', config, logger })],
      providers: [...neighbours(config), ...parts(config, logger)],
    };
  }
}

function neighbours(config: OrdersConfig): Provider[] {
  const client = { caller: 'orders', serviceToken: config.SOUK_SERVICE_TOKEN };
  return [
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
    CartsStore,
    {
      provide: CartHolds,
      inject: [INVENTORY],
      useFactory: (inventory: RpcClient<InventoryServiceService>) =>
        new CartHolds(inventory, config.SOUK_ORDER_CART_HOLD_SECONDS, logger),
    },
    {
      provide: Prices,
      inject: [CATALOG],
      useFactory: (catalog: RpcClient<CatalogServiceService>) => new Prices(catalog),
    },
    {
      provide: CheckoutSaga,
      inject: [OrdersStore, INVENTORY, PAYMENTS],
      useFactory: (
        orders: OrdersStore,
        inventory: RpcClient<InventoryServiceService>,
        payments: RpcClient<PaymentsServiceService>,
      ) => new CheckoutSaga(orders, inventory, payments, () => new Date()),
    },
    {
      provide: SagaRunner,
      inject: [OrdersStore, SagasStore, CheckoutSaga],
      useFactory: (orders: OrdersStore, sagas: SagasStore, saga: CheckoutSaga) =>
        new SagaRunner(orders, sagas, saga, logger),
    },
    {
      provide: Consumers,
      inject: [Database, EventBus, OutboxRelay, OrdersStore, SagaRunner],
      useFactory: (database: Database, bus: EventBus, relay: OutboxRelay, orders: OrdersStore, sagas: SagaRunner) => {
        const afterCommit = () => [relay, sagas].forEach((worker) => worker.wake());
        return ordersConsumers(orders, { database, bus, logger, afterCommit });
      },
    },
    { provide: OrderAccess, useValue: new OrderAccess(config.SOUK_ORDER_TOKEN_SECRET) },
    { provide: OrderWait, useValue: new OrderWait(config.SOUK_ORDER_WAIT_MS) },
    PlaceOrder,
    CancelOrder,
    ResumeOrders,
    OrdersGrpc,
    CartsGrpc,
  ];
}
