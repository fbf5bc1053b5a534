import type { Role } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { decodeEvent, encodeEvent } from '@souk/events';
import { uuidv7 } from '@souk/postgres';
import { VariantAdded } from '@souk/proto/catalog/v1';
import { InventoryServiceService, type ListMovementsResponse, type StockLine } from '@souk/proto/inventory/v1';
import { OperationsServiceService } from '@souk/proto/operations/v1';
import { OrderConfirmed } from '@souk/proto/orders/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { newRequestId, newTraceparent, runInContext } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { randomUUID } from 'node:crypto';
import { inventoryService } from '../src/service.js';
import { fixture } from './fixture.js';
import { ledgerDisagreements } from './ledger.js';

type Inventory = RpcClient<typeof InventoryServiceService>;

const SERVICE_TOKEN = 'a-secret-that-services-share';

let postgres: TestDatabase;
let nats: TestNats;
let identity: TestIdentity;
let service: RunningService;
let orders: Inventory;
let gateway: Inventory;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/inventory/migrations' });
  nats = await testNats();
  identity = await testIdentity();
  service = await startService({ ...inventoryService(config()), signingKeys: identity.keys });
  [orders, gateway] = [clientOf('orders'), clientOf('gateway')];
});

afterAll(async () => {
  orders.close();
  gateway.close();
  await service.stop();
  expect(await ledgerDisagreements(postgres.database)).toEqual([]);
  await nats.close();
  await postgres.drop();
});

function config() {
  return {
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: 0,
    DATABASE_URL: postgres.url,
    NATS_URL: nats.url,
    NATS_PREFIX: nats.prefix,
    SOUK_SERVICE_TOKEN: SERVICE_TOKEN,
    SOUK_IDENTITY_ADDRESS: '127.0.0.1:1',
  };
}

function clientOf(caller: string): Inventory {
  return rpcClient(InventoryServiceService, {
    address: `127.0.0.1:${service.port}`,
    caller,
    serviceToken: SERVICE_TOKEN,
  });
}

async function as<T>(role: Role, call: () => Promise<T>): Promise<T> {
  const userToken = await identity.tokenFor({ userId: randomUUID(), roles: [role] });
  return runInContext({ requestId: newRequestId(), traceparent: newTraceparent(), userToken }, call);
}

function setStock(sku: string, onHand: number, more: { expectedVersion?: number; requestId?: string } = {}) {
  return as('staff', () => gateway.setStock({ sku, onHand, expectedVersion: 0, requestId: '', ...more }));
}

function adjustStock(sku: string, delta: number, requestId: string = randomUUID()) {
  return as('staff', () => gateway.adjustStock({ sku, delta, reason: 'broken', requestId }));
}

function holdStock(orderId: string, lines: StockLine[], cartId = '') {
  return orders.holdStock({ orderId, lines, cartId });
}

async function stockOf(sku: string) {
  return (await gateway.getStock({ sku })).stock;
}

/** Publishes as the other service's outbox does; without the broker's own guard against repetitions. */
async function publish(type: string, data: unknown, id: string = uuidv7()): Promise<void> {
  const source = type.split('.')[1]!;
  const event = { id, type, source, aggregateId: 'any', time: new Date(), data: JSON.stringify(data) };
  const { headers, payload } = encodeEvent(event);
  headers.delete('Nats-Msg-Id');
  await nats.bus.js.publish(nats.bus.subject(type), payload, { headers });
}

describe('stock', () => {
  it('is counted by staff and read by anyone', async () => {
    const { stock, replayed } = await setStock('COUNTED', 5);
    expect(replayed).toBe(false);
    expect(stock).toEqual({ sku: 'COUNTED', onHand: 5, held: 0, available: 5, version: 1 });
    expect(await stockOf('COUNTED')).toEqual(stock);
    expect(await gateway.batchGetStock({ skus: ['COUNTED', 'UNKNOWN'] })).toEqual({ stock: [stock] });
    await expect(gateway.getStock({ sku: 'UNKNOWN' })).rejects.toMatchObject({
      kind: 'not_found',
      reason: 'SKU_NOT_FOUND',
      metadata: { sku: 'UNKNOWN' },
    });
  });

  it('is not counted by customers, nor held by them or other services', async () => {
    const count = () => gateway.setStock({ sku: 'MINE', onHand: 5, expectedVersion: 0, requestId: '' });
    await expect(count()).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    await expect(as('customer', count)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const listing = () => gateway.listMovements({ sku: 'MINE', pageSize: 0, pageToken: '' });
    await expect(as('customer', listing)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const hold = () =>
      gateway.holdStock({ orderId: randomUUID(), lines: [{ sku: 'COUNTED', quantity: 1 }], cartId: '' });
    await expect(as('admin', hold)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const release = () => gateway.releaseStock({ orderId: randomUUID() });
    await expect(as('admin', release)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  });

  it('is not counted below what is held, nor on an older version', async () => {
    await setStock('SCARCE', 5);
    await holdStock(randomUUID(), [{ sku: 'SCARCE', quantity: 3 }]);
    await expect(setStock('SCARCE', 2)).rejects.toMatchObject({
      kind: 'refused',
      reason: 'STOCK_BELOW_HELD',
      metadata: { sku: 'SCARCE', on_hand: '2', held: '3' },
    });
    await expect(setStock('SCARCE', 4, { expectedVersion: 1 })).rejects.toMatchObject({
      kind: 'mismatch',
      reason: 'VERSION_MISMATCH',
    });
    expect((await setStock('SCARCE', 4, { expectedVersion: 2 })).stock).toMatchObject({ onHand: 4, available: 1 });
  });

  it('names every field of a request that is wrong', async () => {
    await expect(setStock('', -1)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'sku' }, { field: 'on_hand' }],
    });
    await expect(holdStock('x', [])).rejects.toMatchObject({
      violations: [{ field: 'lines' }],
    });
    const page = () => gateway.listMovements({ sku: 'A', pageSize: 101, pageToken: '' });
    await expect(as('staff', page)).rejects.toMatchObject({ violations: [{ field: 'page_size' }] });
    const token = () => gateway.listMovements({ sku: 'A', pageSize: 0, pageToken: 'nonsense' });
    await expect(as('staff', token)).rejects.toMatchObject({ violations: [{ field: 'page_token' }] });
  });

  it('has its movements listed newest first, page by page', async () => {
    for (const onHand of [1, 2, 3]) await setStock('LISTED', onHand, { requestId: `listed-${onHand}` });
    const list = (pageToken: string) =>
      as('staff', () => gateway.listMovements({ sku: 'LISTED', pageSize: 2, pageToken }));
    const keysOf = (page: ListMovementsResponse) => page.movements.map(({ cause }) => cause.split(':').at(-1));
    const first = await list('');
    expect(keysOf(first)).toEqual(['listed-3', 'listed-2']);
    expect(first.movements[0]).toMatchObject({ kind: 'KIND_COUNTED', onHandDelta: 1, heldDelta: 0 });
    const second = await list(first.nextPageToken);
    expect(keysOf(second)).toEqual(['listed-1']);
    expect(second.nextPageToken).toBe('');
  });
});

describe('an adjustment', () => {
  it('is made by staff, once per key, and says why (F3, F4)', async () => {
    await setStock('ADJUSTED', 5);
    const staff = await identity.tokenFor({ userId: randomUUID(), roles: ['staff'] });
    const adjust = (delta: number, userToken = staff) => {
      const request = { sku: 'ADJUSTED', delta, reason: 'broken', requestId: 'adjust-1' };
      const context = { requestId: newRequestId(), traceparent: newTraceparent(), userToken };
      return runInContext(context, () => gateway.adjustStock(request));
    };
    const stock = { sku: 'ADJUSTED', onHand: 3, held: 0, available: 3, version: 2 };
    expect(await adjust(-2)).toEqual({ stock, replayed: false });
    expect(await adjust(-2)).toEqual({ stock, replayed: true });
    await expect(adjust(-1)).rejects.toMatchObject({ kind: 'conflict', reason: 'REQUEST_ID_REUSED' });
    // Another person's key is another key.
    const other = await identity.tokenFor({ userId: randomUUID(), roles: ['staff'] });
    expect(await adjust(-2, other)).toMatchObject({ stock: { onHand: 1 }, replayed: false });
    const { movements } = await as('staff', () =>
      gateway.listMovements({ sku: 'ADJUSTED', pageSize: 1, pageToken: '' }),
    );
    expect(movements[0]).toMatchObject({ kind: 'KIND_ADJUSTED', onHandDelta: -2, reason: 'broken' });
  });

  it('is refused where the SKU is not known, where units are held, and to customers', async () => {
    await expect(adjustStock('NOBODY-KNOWS', 2)).rejects.toMatchObject({ kind: 'not_found', reason: 'SKU_NOT_FOUND' });
    await setStock('HELD-BACK', 2);
    await holdStock(randomUUID(), [{ sku: 'HELD-BACK', quantity: 2 }]);
    await expect(adjustStock('HELD-BACK', -1)).rejects.toMatchObject({ kind: 'refused', reason: 'STOCK_BELOW_HELD' });
    await expect(adjustStock('HELD-BACK', 0, '')).rejects.toMatchObject({
      violations: [{ field: 'delta' }, { field: 'request_id' }],
    });
    const mine = () => gateway.adjustStock({ sku: 'HELD-BACK', delta: 1, reason: '', requestId: 'mine' });
    await expect(as('customer', mine)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  });
});

describe('a cart', () => {
  const timeToLive = { seconds: 900n, nanos: 0 };

  it('holds for some minutes, and its order takes that over', async () => {
    await setStock('IN-CART', 2);
    const [cartId, lines] = [randomUUID(), [{ sku: 'IN-CART', quantity: 2 }]];
    const held = await orders.holdCart({ cartId, lines, timeToLive });
    expect(held.shortages).toEqual([]);
    expect(held.expireTime!.getTime() - Date.now()).toBeGreaterThan(800_000);
    const shortages = [{ sku: 'IN-CART', requested: 1, available: 0 }];
    const other = { cartId: randomUUID(), lines: [{ sku: 'IN-CART', quantity: 1 }], timeToLive };
    expect(await orders.holdCart(other)).toEqual({ shortages, expireTime: undefined });
    const orderId = randomUUID();
    expect(await holdStock(orderId, lines, cartId)).toEqual({ state: 'STATE_HELD', shortages: [] });
    await orders.releaseCart({ cartId });
    expect(await stockOf('IN-CART')).toMatchObject({ onHand: 2, held: 2 });
  });

  it('is set free when it is given back, and when its time is up', async () => {
    await setStock('LEFT', 3);
    const [one, two] = [randomUUID(), randomUUID()];
    await orders.holdCart({ cartId: one, lines: [{ sku: 'LEFT', quantity: 1 }], timeToLive });
    await orders.holdCart({
      cartId: two,
      lines: [{ sku: 'LEFT', quantity: 2 }],
      timeToLive: { seconds: 1n, nanos: 0 },
    });
    expect(await stockOf('LEFT')).toMatchObject({ available: 0 });
    await orders.releaseCart({ cartId: one });
    await eventually(async () => expect(await stockOf('LEFT')).toMatchObject({ held: 0, available: 3 }), {
      timeoutMs: 15_000,
    });
  });

  it('is the business of orders alone', async () => {
    const hold = () => gateway.holdCart({ cartId: 'c1', lines: [{ sku: 'LEFT', quantity: 1 }], timeToLive });
    await expect(as('admin', hold)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const release = () => gateway.releaseCart({ cartId: 'c1' });
    await expect(as('admin', release)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const wrong = { cartId: '', lines: [], timeToLive: undefined };
    await expect(orders.holdCart(wrong)).rejects.toMatchObject({
      violations: [{ field: 'cart_id' }, { field: 'lines' }, { field: 'time_to_live' }],
    });
  });
});

describe('a hold', () => {
  it('is read by orders and by operators, who may release it', async () => {
    await setStock('READ', 5);
    const orderId = `0-${randomUUID()}`;
    await holdStock(orderId, [{ sku: 'READ', quantity: 2 }]);
    const operator = clientOf('ops');
    const { holds } = await operator.batchGetHolds({ orderIds: [orderId, randomUUID()] });
    const hold = { orderId, state: 'STATE_HELD', lines: [{ sku: 'READ', quantity: 2 }] };
    expect(holds).toEqual([{ ...hold, createTime: expect.any(Date), updateTime: expect.any(Date) }]);
    const soon = new Date(Date.now() + 60_000);
    const page = await operator.listHolds({ before: soon, pageSize: 1, pageToken: '' });
    expect(page).toEqual({ holds, nextPageToken: orderId });
    const rest = await orders.listHolds({ before: soon, pageSize: 0, pageToken: orderId });
    expect(rest.holds.length).toBeGreaterThan(0);
    expect(rest.holds.map((other) => other.orderId)).not.toContain(orderId);
    expect(await operator.releaseStock({ orderId })).toEqual({ state: 'STATE_RELEASED' });
    operator.close();
    const list = () => gateway.listHolds({ before: soon, pageSize: 0, pageToken: '' });
    await expect(as('admin', list)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const read = () => gateway.batchGetHolds({ orderIds: [] });
    await expect(as('admin', read)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    await expect(orders.listHolds({ before: undefined, pageSize: 501, pageToken: '' })).rejects.toMatchObject({
      violations: [{ field: 'before' }],
    });
  });

  it('is all lines or none, and answers the same again', async () => {
    await setStock('X', 2);
    await setStock('Y', 1);
    const lines = [
      { sku: 'X', quantity: 1 },
      { sku: 'Y', quantity: 1 },
    ];
    const [one, two] = [randomUUID(), randomUUID()];
    expect(await holdStock(one, lines)).toEqual({ state: 'STATE_HELD', shortages: [] });
    const refusal = { state: 'STATE_REFUSED', shortages: [{ sku: 'Y', requested: 1, available: 0 }] };
    expect(await holdStock(two, lines)).toEqual(refusal);
    expect(await orders.releaseStock({ orderId: one })).toEqual({ state: 'STATE_RELEASED' });
    expect(await holdStock(two, lines)).toEqual(refusal);
    expect(await holdStock(one, lines)).toEqual({ state: 'STATE_RELEASED', shortages: [] });
    expect(await stockOf('X')).toMatchObject({ onHand: 2, held: 0 });
  });

  it('of the last unit is given to one of many callers (F28)', async () => {
    await setStock('LAST', 1);
    const lines = [{ sku: 'LAST', quantity: 1 }];
    const answers = await Promise.all(Array.from({ length: 50 }, () => holdStock(randomUUID(), lines)));
    expect(answers.filter(({ state }) => state === 'STATE_HELD')).toHaveLength(1);
  });
});

describe('an operator', () => {
  it('has the checks of stock run, and sees that nothing differs', async () => {
    await setStock('CHECKED', 2);
    const operator = rpcClient(OperationsServiceService, {
      address: `127.0.0.1:${service.port}`,
      caller: 'ops',
      serviceToken: SERVICE_TOKEN,
    });
    const { runs, differences } = await operator.reconcile({ checks: ['stock-ledger', 'stock-holds', 'cart-holds'] });
    expect(differences).toEqual([]);
    expect(runs.map(({ check, error }) => ({ check, error }))).toEqual(
      expect.arrayContaining(['stock-ledger', 'stock-holds', 'cart-holds'].map((check) => ({ check, error: '' }))),
    );
    operator.close();
  });
});

describe('events', () => {
  it('of new variants open their stock once', async () => {
    const data = VariantAdded.fromJSON(fixture('souk.catalog.v1.VariantAdded'));
    const id = uuidv7();
    await publish('souk.catalog.v1.VariantAdded', VariantAdded.toJSON(data), id);
    await publish('souk.catalog.v1.VariantAdded', VariantAdded.toJSON(data), id);
    await publish('souk.catalog.v1.VariantAdded', VariantAdded.toJSON({ ...data, openingStock: 99 }));
    await publish('souk.catalog.v1.VariantAdded', VariantAdded.toJSON({ ...data, sku: 'MARKER', openingStock: 0 }));
    await eventually(() => stockOf('MARKER'));
    expect(await stockOf(data.sku)).toMatchObject({ onHand: data.openingStock, version: 1 });
  });

  it('of confirmed orders sell what is held, once each (F57, F61)', async () => {
    const data = OrderConfirmed.fromJSON(fixture('souk.orders.v1.OrderConfirmed'));
    const order = data.order!;
    const skus = [...new Set(order.lines.map(({ sku }) => sku))];
    for (const sku of skus) await setStock(sku, 50);
    expect(await holdStock(order.orderId, order.lines)).toMatchObject({
      state: 'STATE_HELD',
    });
    const marker = { ...order, orderId: randomUUID() };
    await holdStock(marker.orderId, [{ sku: skus[0]!, quantity: 1 }]);
    const id = uuidv7();
    await publish('souk.orders.v1.OrderConfirmed', OrderConfirmed.toJSON(data), id);
    await publish('souk.orders.v1.OrderConfirmed', OrderConfirmed.toJSON(data), id);
    await publish('souk.orders.v1.OrderConfirmed', OrderConfirmed.toJSON(data));
    await publish('souk.orders.v1.OrderConfirmed', OrderConfirmed.toJSON({ order: marker }));
    const sold = order.lines.filter(({ sku }) => sku === skus[0]).reduce((sum, { quantity }) => sum + quantity, 1);
    await eventually(async () => expect(await stockOf(skus[0]!)).toMatchObject({ onHand: 50 - sold, held: 0 }));
    expect(await orders.releaseStock({ orderId: order.orderId })).toEqual({ state: 'STATE_RELEASED' });
    expect(await stockOf(skus[0]!)).toMatchObject({ onHand: 49, held: 0 });
  });

  it('tell the world when another number can be sold', async () => {
    const told: unknown[] = [];
    const subscription = nats.bus.connection.subscribe(nats.bus.subject('souk.inventory.v1.StockLevelChanged'), {
      callback: (_, message) => {
        const { aggregateId, data } = decodeEvent(message.headers, message.data);
        if (aggregateId === 'TOLD') told.push(JSON.parse(data));
      },
    });
    await nats.bus.connection.flush();
    await setStock('TOLD', 3);
    await holdStock(randomUUID(), [{ sku: 'TOLD', quantity: 2 }]);
    await eventually(() =>
      expect(told).toEqual([
        expect.objectContaining({ sku: 'TOLD', onHand: 3, available: 3, version: 1 }),
        { sku: 'TOLD', onHand: 3, held: 2, available: 1, version: 2 },
      ]),
    );
    subscription.unsubscribe();
  });
});
