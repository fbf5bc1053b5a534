import { randomUUID } from 'node:crypto';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { DomainError } from '@souk/errors';
import { CartsServiceService, OrdersServiceService, type PlaceOrderRequest } from '@souk/proto/orders/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { runInContext } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { ordersService } from '../src/service.js';
import { newOrder } from './order-builder.js';
import { paymentIn, startNeighbours, type Neighbours } from './neighbours.js';

const TOKEN = 'a-service-token-for-tests';
const WAIT_MS = 600;
const LEASE_MS = 1_500;

let postgres: TestDatabase;
let nats: TestNats;
let identity: TestIdentity;
let neighbours: Neighbours;
let service: RunningService;
let orders: RpcClient<OrdersServiceService>;
let carts: RpcClient<CartsServiceService>;

function start(): Promise<RunningService> {
  const options = ordersService({
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: 0,
    DATABASE_URL: postgres.url,
    NATS_URL: nats.url,
    NATS_PREFIX: nats.prefix,
    SOUK_SERVICE_TOKEN: TOKEN,
    SOUK_ORDER_TOKEN_SECRET: 'a-secret-for-order-tokens',
    SOUK_ORDER_WAIT_MS: WAIT_MS,
    SOUK_SAGA_LEASE_MS: LEASE_MS,
    SOUK_IDENTITY_ADDRESS: '127.0.0.1:1',
    SOUK_CATALOG_ADDRESS: neighbours.catalog.address,
    SOUK_INVENTORY_ADDRESS: neighbours.inventory.address,
    SOUK_PAYMENTS_ADDRESS: neighbours.payments.address,
  });
  return startService({ ...options, signingKeys: identity.keys });
}

beforeAll(async () => {
  [postgres, nats, identity] = await Promise.all([
    testDatabase({ migrations: 'apps/orders/migrations' }),
    testNats(),
    testIdentity(),
  ]);
});
beforeEach(async () => {
  neighbours = await startNeighbours();
  service = await start();
  const client = { address: `127.0.0.1:${service.port}`, caller: 'gateway', serviceToken: TOKEN };
  orders = rpcClient(OrdersServiceService, client);
  carts = rpcClient(CartsServiceService, client);
});
afterEach(async () => {
  orders.close();
  carts.close();
  await service.stop();
  await neighbours.close();
});
afterAll(async () => {
  await nats.close();
  await postgres.drop();
});

function request(change: Partial<PlaceOrderRequest> = {}): PlaceOrderRequest {
  const { email, shippingAddress } = newOrder();
  return {
    requestId: randomUUID(),
    lines: [{ sku: 'LAMP-BRASS', quantity: 1 }],
    cartId: '',
    email,
    shippingAddress,
    payment: { method: 'card', token: 'pm_card_visa' },
    ...change,
  };
}

async function as<T>(user: { userId: string; roles?: ('customer' | 'staff')[] }, work: () => Promise<T>): Promise<T> {
  const userToken = await identity.tokenFor(user);
  return runInContext({ requestId: randomUUID(), traceparent: '', userToken }, work);
}

function callsOf(fake: { calls: readonly { method: PropertyKey }[] }): PropertyKey[] {
  return fake.calls.map(({ method }) => method);
}

describe('placing an order', () => {
  it('confirms it at the prices of the catalogue', async () => {
    const { order, replayed } = await orders.placeOrder(request());
    expect(order).toMatchObject({ state: 'STATE_CONFIRMED', total: { amount: 12_900n, currency: 'USD' } });
    expect(replayed).toBe(false);
    const [authorize] = neighbours.payments.calls;
    expect(authorize?.request).toMatchObject({ orderId: order?.orderId, amount: { amount: 12_900n, currency: 'USD' } });
  });

  it('refuses it, naming what is short, and asks for no money', async () => {
    const shortages = [{ sku: 'LAMP-BRASS', requested: 1, available: 0 }];
    neighbours.inventory.answer({ holdStock: () => ({ state: 'STATE_REFUSED', shortages }) });
    const { order } = await orders.placeOrder(request());
    expect(order).toMatchObject({ state: 'STATE_REJECTED', rejection: { reason: 'STOCK_SHORT', shortages } });
    expect(neighbours.payments.calls).toEqual([]);
  });

  it('refuses it where the card is declined, and has released the hold when it says so', async () => {
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_DECLINED', 'insufficient_funds') });
    const { order } = await orders.placeOrder(request());
    expect(order?.rejection).toMatchObject({ reason: 'PAYMENT_DECLINED', declineCode: 'insufficient_funds' });
    expect(callsOf(neighbours.inventory)).toEqual(['holdStock', 'releaseStock']);
  });

  it('comes back PENDING from a slow provider and is finished without the buyer', async () => {
    let answers = 0;
    neighbours.payments.answer({
      authorizePayment: () => paymentIn(++answers < 4 ? 'STATE_PROCESSING' : 'STATE_AUTHORIZED'),
    });
    const { order, accessToken } = await orders.placeOrder(request());
    expect(order?.state).toBe('STATE_PENDING');
    await eventually(
      async () => {
        const found = await orders.getOrder({ orderId: order?.orderId ?? '', accessToken });
        expect(found.order?.state).toBe('STATE_CONFIRMED');
      },
      { timeoutMs: 10_000 },
    );
  });

  it('goes on when a neighbour comes back', async () => {
    const away = new DomainError({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE', message: 'away' });
    let tries = 0;
    neighbours.inventory.answer({
      holdStock: () => {
        if (++tries < 3) throw away;
        return { state: 'STATE_HELD', shortages: [] };
      },
    });
    const { order, accessToken } = await orders.placeOrder(request());
    await eventually(
      async () => {
        const found = await orders.getOrder({ orderId: order?.orderId ?? '', accessToken });
        expect(found.order?.state).toBe('STATE_CONFIRMED');
      },
      { timeoutMs: 10_000 },
    );
  });

  it('names every wrong field, and every SKU that is not for sale', async () => {
    await expect(orders.placeOrder(request({ email: '', shippingAddress: undefined }))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'email' }, { field: 'shipping_address' }],
    });
    await expect(orders.placeOrder(request({ lines: [{ sku: 'NOTHING', quantity: 1 }] }))).rejects.toMatchObject({
      reason: 'SKU_NOT_FOR_SALE',
      metadata: { skus: 'NOTHING' },
    });
  });
});

describe('a repeated request', () => {
  it('gets the first order, also fifty times at once', async () => {
    const same = request();
    const answers = await Promise.all(Array.from({ length: 50 }, () => orders.placeOrder(same)));
    expect(new Set(answers.map(({ order }) => order?.orderId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(answers.every(({ order }) => order?.state === 'STATE_CONFIRMED')).toBe(true);
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment']);
  });

  it('is refused where it asks for something else', async () => {
    const first = request();
    await orders.placeOrder(first);
    const other = { ...first, lines: [{ sku: 'LAMP-BRASS', quantity: 2 }] };
    await expect(orders.placeOrder(other)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('is answered as before though its SKU is no longer for sale', async () => {
    const first = request();
    const { order } = await orders.placeOrder(first);
    neighbours.catalog.answer({ batchGetVariants: () => ({ variants: [] }) });
    const again = await orders.placeOrder(first);
    expect(again).toMatchObject({ replayed: true, order: { orderId: order?.orderId, state: 'STATE_CONFIRMED' } });
  });
});

describe('a cart', () => {
  async function cartWith(sku: string): Promise<string> {
    const { cart } = await carts.createCart({});
    const cartId = cart?.cartId ?? '';
    await carts.setCartLine({ cartId, sku, quantity: 2, expectedVersion: 0 });
    return cartId;
  }

  it('is priced, ordered once, and then closed', async () => {
    const cartId = await cartWith('NECKLACE-SILVER');
    expect((await carts.getCart({ cartId })).cart?.total?.amount).toBe(8_598n);
    const [one, two] = await Promise.all([1, 2].map(() => orders.placeOrder(request({ lines: [], cartId }))));
    expect(one?.order?.orderId).toBe(two?.order?.orderId);
    await expect(
      carts.setCartLine({ cartId, sku: 'LAMP-BRASS', quantity: 1, expectedVersion: 0 }),
    ).rejects.toMatchObject({
      reason: 'CART_ORDERED',
    });
    expect((await carts.getCart({ cartId })).cart?.orderId).toBe(one?.order?.orderId);
  });

  it('belongs to the customer who made it', async () => {
    const mine = await as({ userId: randomUUID() }, () => carts.createCart({}));
    const cartId = mine.cart?.cartId ?? '';
    await expect(carts.getCart({ cartId })).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
    await expect(orders.placeOrder(request({ lines: [], cartId }))).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
  });

  it('is not changed by who has seen an older version', async () => {
    const cartId = await cartWith('LAMP-BRASS');
    const change = { cartId, sku: 'LAMP-BRASS', quantity: 5, expectedVersion: 1 };
    await expect(carts.setCartLine(change)).rejects.toMatchObject({ reason: 'VERSION_MISMATCH' });
    await carts.deleteCart({ cartId });
    await expect(carts.getCart({ cartId })).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
  });
});

describe('an order', () => {
  it('is seen by its customer, by staff, and by who holds its token, and by nobody else', async () => {
    const userId = randomUUID();
    const { order, accessToken } = await as({ userId }, () => orders.placeOrder(request()));
    const orderId = order?.orderId ?? '';
    const seen = [
      as({ userId }, () => orders.getOrder({ orderId, accessToken: '' })),
      as({ userId: randomUUID(), roles: ['staff'] }, () => orders.getOrder({ orderId, accessToken: '' })),
      orders.getOrder({ orderId, accessToken }),
    ];
    for (const { order: found } of await Promise.all(seen)) expect(found?.orderId).toBe(orderId);
    const stranger = as({ userId: randomUUID() }, () => orders.getOrder({ orderId, accessToken: '' }));
    await expect(stranger).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
    await expect(orders.getOrder({ orderId, accessToken: 'ot_guess' })).rejects.toMatchObject({
      reason: 'ORDER_NOT_FOUND',
    });
    await expect(orders.cancelOrder({ orderId, accessToken: '' })).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
  });

  it('is listed for its customer, page by page', async () => {
    const userId = randomUUID();
    for (let n = 0; n < 3; n++) await as({ userId }, () => orders.placeOrder(request()));
    const list = (pageToken: string) =>
      as({ userId }, () => orders.listOrders({ pageSize: 2, pageToken, state: 'STATE_UNSPECIFIED' }));
    const first = await list('');
    const second = await list(first.nextPageToken);
    expect([first.orders.length, second.orders.length, second.nextPageToken]).toEqual([2, 1, '']);
    const guest = orders.listOrders({ pageSize: 2, pageToken: '', state: 'STATE_UNSPECIFIED' });
    await expect(guest).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  it('gives everything back when it is cancelled', async () => {
    const { order, accessToken } = await orders.placeOrder(request());
    const cancel = () => orders.cancelOrder({ orderId: order?.orderId ?? '', accessToken });
    expect((await cancel()).order?.state).toBe('STATE_CANCELLED');
    expect((await cancel()).order?.state).toBe('STATE_CANCELLED');
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment', 'cancelPayment']);
    expect(callsOf(neighbours.inventory)).toEqual(['holdStock', 'releaseStock']);
  });

  it('is fulfilled by staff alone', async () => {
    const { order } = await orders.placeOrder(request());
    const orderId = order?.orderId ?? '';
    const fulfil = () => orders.fulfillOrder({ orderId, tracking: 'DHL 42' });
    await expect(fulfil()).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    const { order: sent } = await as({ userId: randomUUID(), roles: ['staff'] }, fulfil);
    expect(sent?.state).toBe('STATE_FULFILLED');
  });
});

describe('when the service dies in the middle', () => {
  it('finishes the order after its restart, holding and charging once', async () => {
    const stuck = new Promise<never>(() => undefined);
    neighbours.payments.answer({ authorizePayment: () => stuck });
    const { order, accessToken } = await orders.placeOrder(request());
    expect(order?.state).toBe('STATE_PENDING');

    // A second replica: the first one still waits for its answer, and will never get it.
    const second = await start();
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_AUTHORIZED') });
    await eventually(
      async () => {
        const found = await orders.getOrder({ orderId: order?.orderId ?? '', accessToken });
        expect(found.order?.state).toBe('STATE_CONFIRMED');
      },
      { timeoutMs: 10_000 },
    );
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_DECLINED') });
    await neighbours.payments.close();
    const asked = neighbours.payments.calls.map(({ request: asking }) => (asking as { orderId: string }).orderId);
    expect(new Set(asked)).toEqual(new Set([order?.orderId]));
    await second.stop();
  });
});
