import type { Role } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { decodeEvent, encodeEvent } from '@souk/events';
import { uuidv7 } from '@souk/postgres';
import { VariantAdded } from '@souk/proto/catalog/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
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
    const { stock } = await setStock('COUNTED', 5);
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
    const hold = () => gateway.holdStock({ orderId: randomUUID(), lines: [{ sku: 'COUNTED', quantity: 1 }] });
    await expect(as('admin', hold)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    const release = () => gateway.releaseStock({ orderId: randomUUID() });
    await expect(as('admin', release)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  });

  it('is not counted below what is held, nor on an older version', async () => {
    await setStock('SCARCE', 5);
    await orders.holdStock({ orderId: randomUUID(), lines: [{ sku: 'SCARCE', quantity: 3 }] });
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
    await expect(orders.holdStock({ orderId: 'x', lines: [] })).rejects.toMatchObject({
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
    const first = await list('');
    expect(first.movements.map(({ cause }) => cause)).toEqual(['listed-3', 'listed-2']);
    expect(first.movements[0]).toMatchObject({ kind: 'KIND_COUNTED', onHandDelta: 1, heldDelta: 0 });
    const second = await list(first.nextPageToken);
    expect(second.movements.map(({ cause }) => cause)).toEqual(['listed-1']);
    expect(second.nextPageToken).toBe('');
  });
});

describe('a hold', () => {
  it('is all lines or none, and answers the same again', async () => {
    await setStock('X', 2);
    await setStock('Y', 1);
    const lines = [
      { sku: 'X', quantity: 1 },
      { sku: 'Y', quantity: 1 },
    ];
    const [one, two] = [randomUUID(), randomUUID()];
    expect(await orders.holdStock({ orderId: one, lines })).toEqual({ state: 'STATE_HELD', shortages: [] });
    const refusal = { state: 'STATE_REFUSED', shortages: [{ sku: 'Y', requested: 1, available: 0 }] };
    expect(await orders.holdStock({ orderId: two, lines })).toEqual(refusal);
    expect(await orders.releaseStock({ orderId: one })).toEqual({ state: 'STATE_RELEASED' });
    expect(await orders.holdStock({ orderId: two, lines })).toEqual(refusal);
    expect(await orders.holdStock({ orderId: one, lines })).toEqual({ state: 'STATE_RELEASED', shortages: [] });
    expect(await stockOf('X')).toMatchObject({ onHand: 2, held: 0 });
  });

  it('of the last unit is given to one of many callers', async () => {
    await setStock('LAST', 1);
    const lines = [{ sku: 'LAST', quantity: 1 }];
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => orders.holdStock({ orderId: randomUUID(), lines })),
    );
    expect(answers.filter(({ state }) => state === 'STATE_HELD')).toHaveLength(1);
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

  it('of confirmed orders sell what is held, once each', async () => {
    const data = OrderConfirmed.fromJSON(fixture('souk.orders.v1.OrderConfirmed'));
    const order = data.order!;
    const skus = [...new Set(order.lines.map(({ sku }) => sku))];
    for (const sku of skus) await setStock(sku, 50);
    expect(await orders.holdStock({ orderId: order.orderId, lines: order.lines })).toMatchObject({
      state: 'STATE_HELD',
    });
    const marker = { ...order, orderId: randomUUID() };
    await orders.holdStock({ orderId: marker.orderId, lines: [{ sku: skus[0]!, quantity: 1 }] });
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
    await orders.holdStock({ orderId: randomUUID(), lines: [{ sku: 'TOLD', quantity: 2 }] });
    await eventually(() =>
      expect(told).toEqual([
        expect.objectContaining({ sku: 'TOLD', onHand: 3, available: 3, version: 1 }),
        { sku: 'TOLD', onHand: 3, held: 2, available: 1, version: 2 },
      ]),
    );
    subscription.unsubscribe();
  });
});
