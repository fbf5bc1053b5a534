import { randomUUID } from 'node:crypto';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { encodeEvent } from '@souk/events';
import { uuidv7 } from '@souk/postgres';
import { CartsServiceService, OrdersServiceService, type PlaceOrderRequest } from '@souk/proto/orders/v1';
import { rpcClient, type RpcClient, type ServiceDefinition } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { runInContext } from '@souk/telemetry';
import { testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { ordersService } from '../src/service.js';
import { startNeighbours, type Neighbours } from './neighbours.js';
import { newOrder } from './order-builder.js';

const TOKEN = 'a-service-token-for-tests';
export const LEASE_MS = 1_500;
export const HOLD_SECONDS = 300;

/** The service with a database and a broker of its own, and neighbours that a test makes answer what it wants. */
export class OrdersUnderTest {
  neighbours!: Neighbours;
  orders!: RpcClient<OrdersServiceService>;
  carts!: RpcClient<CartsServiceService>;
  service!: RunningService;

  private constructor(
    readonly postgres: TestDatabase,
    readonly nats: TestNats,
    private readonly identity: TestIdentity,
  ) {}

  static async create(): Promise<OrdersUnderTest> {
    return new OrdersUnderTest(
      ...(await Promise.all([testDatabase({ migrations: 'apps/orders/migrations' }), testNats(), testIdentity()])),
    );
  }

  /** Starts the service anew, with neighbours that know nothing. */
  async begin(): Promise<void> {
    this.neighbours = await startNeighbours();
    this.service = await this.replica();
    const client = { address: `127.0.0.1:${this.service.port}`, caller: 'gateway', serviceToken: TOKEN };
    this.orders = rpcClient(OrdersServiceService, client);
    this.carts = rpcClient(CartsServiceService, client);
  }

  async end(): Promise<void> {
    this.orders.close();
    this.carts.close();
    await this.service.stop();
    await this.neighbours.close();
  }

  async drop(): Promise<void> {
    await this.nats.close();
    await this.postgres.drop();
  }

  /** Another process of the service. */
  replica(): Promise<RunningService> {
    const options = ordersService({
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: 0,
      DATABASE_URL: this.postgres.url,
      NATS_URL: this.nats.url,
      NATS_PREFIX: this.nats.prefix,
      SOUK_RECONCILE_EVERY_SECONDS: 86_400,
      SOUK_SERVICE_TOKEN: TOKEN,
      SOUK_ORDER_TOKEN_SECRET: 'a-secret-for-order-tokens',
      SOUK_ORDER_WAIT_MS: 600,
      SOUK_SAGA_LEASE_MS: LEASE_MS,
      SOUK_ORDER_CART_HOLD_SECONDS: HOLD_SECONDS,
      SOUK_IDENTITY_ADDRESS: this.neighbours.identity.address,
      SOUK_CATALOG_ADDRESS: this.neighbours.catalog.address,
      SOUK_INVENTORY_ADDRESS: this.neighbours.inventory.address,
      SOUK_PAYMENTS_ADDRESS: this.neighbours.payments.address,
    });
    return startService({ ...options, signingKeys: this.identity.keys });
  }

  /** The client of an operator's tool. */
  operator<S extends ServiceDefinition>(definition: S): RpcClient<S> {
    return this.client(definition, 'ops');
  }

  /** The client of another service. */
  client<S extends ServiceDefinition>(definition: S, caller: string): RpcClient<S> {
    return rpcClient(definition, { address: `127.0.0.1:${this.service.port}`, caller, serviceToken: TOKEN });
  }

  async as<T>(user: { userId: string; roles?: ('customer' | 'staff')[] }, work: () => Promise<T>): Promise<T> {
    const userToken = await this.identity.tokenFor(user);
    return runInContext({ requestId: randomUUID(), traceparent: '', userToken }, work);
  }

  asStaff<T>(work: () => Promise<T>): Promise<T> {
    return this.as({ userId: randomUUID(), roles: ['staff'] }, work);
  }

  /** An event of another service. @returns its identifier, under which it may be published again */
  async publish(type: string, aggregateId: string, data: unknown, id: string = uuidv7()): Promise<string> {
    const event = { id, type, source: 'test', aggregateId, time: new Date(), data: JSON.stringify(data) };
    const { headers, payload } = encodeEvent(event);
    // The broker drops what it has seen within two minutes; consumers must do without that.
    headers.set('Nats-Msg-Id', uuidv7());
    await this.nats.bus.js.publish(this.nats.bus.subject(type), payload, { headers });
    return id;
  }

  async cartWith(sku: string, quantity = 2): Promise<string> {
    const { cart } = await this.carts.createCart({});
    const cartId = cart?.cartId ?? '';
    await this.carts.setCartLine({ cartId, sku, quantity, expectedVersion: 0 });
    return cartId;
  }
}

export function placing(change: Partial<PlaceOrderRequest> = {}): PlaceOrderRequest {
  const { email, shippingAddress } = newOrder();
  return {
    requestId: randomUUID(),
    lines: [{ sku: 'LAMP-BRASS', quantity: 1 }],
    cartId: '',
    email,
    shippingAddress,
    payment: { method: 'card', token: 'pm_card_visa' },
    expectedTotal: undefined,
    clientAddress: '',
    ...change,
  };
}

export function callsOf(fake: { calls: readonly { method: PropertyKey }[] }): PropertyKey[] {
  return fake.calls.map(({ method }) => method);
}
