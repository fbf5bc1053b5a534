import { randomUUID } from 'node:crypto';
import { DomainError } from '@souk/errors';
import { OrdersServiceService } from '@souk/proto/orders/v1';
import type { RpcClient } from '@souk/rpc';
import { eventually } from '@souk/testing';
import { paymentIn, type Neighbours } from './neighbours.js';
import { callsOf, OrdersUnderTest, placing } from './orders-under-test.js';

let souk: OrdersUnderTest;
let neighbours: Neighbours;
let orders: OrdersUnderTest['orders'];

beforeAll(async () => (souk = await OrdersUnderTest.create()));
beforeEach(async () => {
  await souk.begin();
  ({ neighbours, orders } = souk);
});
afterEach(() => souk.end());
afterAll(() => souk.drop());

async function finished(order: { orderId: string } | undefined, accessToken: string): Promise<void> {
  await eventually(
    async () => {
      const found = await orders.getOrder({ orderId: order?.orderId ?? '', accessToken });
      expect(found.order?.state).toBe('STATE_CONFIRMED');
    },
    { timeoutMs: 10_000 },
  );
}

describe('placing an order', () => {
  it('confirms it at the prices of the catalogue', async () => {
    const { order, replayed } = await orders.placeOrder(placing());
    expect(order).toMatchObject({ state: 'STATE_CONFIRMED', total: { amount: 12_900n, currency: 'USD' } });
    expect(replayed).toBe(false);
    const [authorize] = neighbours.payments.calls;
    expect(authorize?.request).toMatchObject({ orderId: order?.orderId, amount: { amount: 12_900n, currency: 'USD' } });
  });

  it('refuses it, naming what is short, and asks for no money', async () => {
    const shortages = [{ sku: 'LAMP-BRASS', requested: 1, available: 0 }];
    neighbours.inventory.answer({ holdStock: () => ({ state: 'STATE_REFUSED', shortages }) });
    const { order } = await orders.placeOrder(placing());
    expect(order).toMatchObject({ state: 'STATE_REJECTED', rejection: { reason: 'STOCK_SHORT', shortages } });
    expect(neighbours.payments.calls).toEqual([]);
  });

  it('refuses it where the card is declined, and has released the hold when it says so', async () => {
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_DECLINED', 'insufficient_funds') });
    const { order } = await orders.placeOrder(placing());
    expect(order?.rejection).toMatchObject({ reason: 'PAYMENT_DECLINED', declineCode: 'insufficient_funds' });
    expect(callsOf(neighbours.inventory)).toEqual(['holdStock', 'releaseStock']);
  });

  it('tells payments apart by a digest of where they come from', async () => {
    const told = async (caller: RpcClient<OrdersServiceService>, clientAddress: string) => {
      await caller.placeOrder(placing({ clientAddress }));
      const { request } = neighbours.payments.calls.findLast(({ method }) => method === 'authorizePayment')!;
      return (request as { clientDigest: string }).clientDigest;
    };
    const gateway = souk.client(OrdersServiceService, 'gateway');
    const first = await told(gateway, '2001:db8:1:2:3:4:5:6');
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(await told(gateway, '2001:db8:1:2::99')).toBe(first);
    expect(await told(gateway, '203.0.113.7')).not.toBe(first);
    expect(await told(gateway, '')).toBe('');
    gateway.close();
  });

  it('comes back PENDING from a slow provider and is finished without the buyer (F2)', async () => {
    let answers = 0;
    neighbours.payments.answer({
      authorizePayment: () => paymentIn(++answers < 4 ? 'STATE_PROCESSING' : 'STATE_AUTHORIZED'),
    });
    const { order, accessToken } = await orders.placeOrder(placing());
    expect(order?.state).toBe('STATE_PENDING');
    await finished(order, accessToken);
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
    const { order, accessToken } = await orders.placeOrder(placing());
    await finished(order, accessToken);
  });

  it('names every wrong field, and every SKU that is not for sale', async () => {
    await expect(orders.placeOrder(placing({ email: '', shippingAddress: undefined }))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'email' }, { field: 'shipping_address' }],
    });
    await expect(orders.placeOrder(placing({ lines: [{ sku: 'NOTHING', quantity: 1 }] }))).rejects.toMatchObject({
      reason: 'SKU_NOT_FOR_SALE',
      metadata: { skus: 'NOTHING' },
    });
  });
});

describe('a repeated request', () => {
  it('gets the first order, also fifty times at once (F1, F3, F5, F12)', async () => {
    const same = placing();
    const answers = await Promise.all(Array.from({ length: 50 }, () => orders.placeOrder(same)));
    expect(new Set(answers.map(({ order }) => order?.orderId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(answers.every(({ order }) => order?.state === 'STATE_CONFIRMED')).toBe(true);
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment']);
  });

  it('is refused where it asks for something else, however late (F4, F6)', async () => {
    const first = placing();
    await orders.placeOrder(first);
    const other = { ...first, lines: [{ sku: 'LAMP-BRASS', quantity: 2 }] };
    await expect(orders.placeOrder(other)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('is refused where two different ones come at once (F4, F5)', async () => {
    const first = placing();
    const other = { ...first, lines: [{ sku: 'LAMP-BRASS', quantity: 2 }] };
    const outcomes = await Promise.allSettled([first, other].map((request) => orders.placeOrder(request)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment']);
  });

  it('is answered as before though its price has changed (F3, F10)', async () => {
    const first = placing();
    const { order } = await orders.placeOrder(first);
    const price = { amount: 99_900n, currency: 'USD' };
    const variant = { sku: 'LAMP-BRASS', productId: 'p', title: 'Lamp', price };
    neighbours.catalog.answer({ batchGetVariants: () => ({ variants: [variant] }) });
    const again = await orders.placeOrder(first);
    expect(again).toMatchObject({ replayed: true, order: { orderId: order?.orderId, total: { amount: 12_900n } } });
  });

  it('is answered as before though its SKU is no longer for sale (F3)', async () => {
    const first = placing();
    const { order } = await orders.placeOrder(first);
    neighbours.catalog.answer({ batchGetVariants: () => ({ variants: [] }) });
    const again = await orders.placeOrder(first);
    expect(again).toMatchObject({ replayed: true, order: { orderId: order?.orderId, state: 'STATE_CONFIRMED' } });
  });
});

describe('an order', () => {
  it('is seen by its customer, by staff, and by who holds its token, and by nobody else', async () => {
    const userId = randomUUID();
    const { order, accessToken } = await souk.as({ userId }, () => orders.placeOrder(placing()));
    const orderId = order?.orderId ?? '';
    const seen = [
      souk.as({ userId }, () => orders.getOrder({ orderId, accessToken: '' })),
      souk.as({ userId: randomUUID(), roles: ['staff'] }, () => orders.getOrder({ orderId, accessToken: '' })),
      orders.getOrder({ orderId, accessToken }),
    ];
    for (const { order: found } of await Promise.all(seen)) expect(found?.orderId).toBe(orderId);
    const stranger = souk.as({ userId: randomUUID() }, () => orders.getOrder({ orderId, accessToken: '' }));
    await expect(stranger).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
    await expect(orders.getOrder({ orderId, accessToken: 'ot_guess' })).rejects.toMatchObject({
      reason: 'ORDER_NOT_FOUND',
    });
    await expect(orders.cancelOrder({ orderId, accessToken: '', requestId: '' })).rejects.toMatchObject({
      reason: 'ORDER_NOT_FOUND',
    });
  });

  it('is listed for its customer, page by page', async () => {
    const userId = randomUUID();
    for (let n = 0; n < 3; n++) await souk.as({ userId }, () => orders.placeOrder(placing()));
    const list = (pageToken: string) =>
      souk.as({ userId }, () => orders.listOrders({ pageSize: 2, pageToken, state: 'STATE_UNSPECIFIED' }));
    const first = await list('');
    const second = await list(first.nextPageToken);
    expect([first.orders.length, second.orders.length, second.nextPageToken]).toEqual([2, 1, '']);
    const guest = orders.listOrders({ pageSize: 2, pageToken: '', state: 'STATE_UNSPECIFIED' });
    await expect(guest).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  it('gives everything back when it is cancelled', async () => {
    const { order, accessToken } = await orders.placeOrder(placing());
    const cancel = () => orders.cancelOrder({ orderId: order?.orderId ?? '', accessToken, requestId: '' });
    expect((await cancel()).order?.state).toBe('STATE_CANCELLED');
    expect((await cancel()).order?.state).toBe('STATE_CANCELLED');
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment', 'cancelPayment']);
    expect(callsOf(neighbours.inventory)).toEqual(['holdStock', 'releaseStock']);
  });

  it('is cancelled once per key, also by ten at once, and the key does nothing else (F1, F4, F5)', async () => {
    const { order, accessToken } = await orders.placeOrder(placing());
    const call = { orderId: order?.orderId ?? '', accessToken, requestId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => orders.cancelOrder(call)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.order?.state))).toEqual(new Set(['STATE_CANCELLED']));
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment', 'cancelPayment']);
    const other = await orders.placeOrder(placing());
    const reused = { ...call, orderId: other.order?.orderId ?? '', accessToken: other.accessToken };
    await expect(orders.cancelOrder(reused)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    await expect(orders.cancelOrder({ ...call, requestId: 'x'.repeat(256) })).rejects.toMatchObject({
      violations: [{ field: 'request_id' }],
    });
  });

  it('is not shown to who knows the key of its cancellation and nothing else', async () => {
    const { order, accessToken } = await orders.placeOrder(placing());
    const call = { orderId: order?.orderId ?? '', accessToken, requestId: randomUUID() };
    await orders.cancelOrder(call);
    await expect(orders.cancelOrder({ ...call, accessToken: '' })).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
  });

  it('is fulfilled by staff alone, once per key', async () => {
    const { order } = await orders.placeOrder(placing());
    const call = { orderId: order?.orderId ?? '', tracking: 'DHL 42', requestId: randomUUID() };
    const fulfil = (tracking: string) => orders.fulfillOrder({ ...call, tracking });
    await expect(fulfil('DHL 42')).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    const staff = { userId: randomUUID(), roles: ['staff' as const] };
    const first = await souk.as(staff, () => fulfil('DHL 42'));
    expect(first).toMatchObject({ order: { state: 'STATE_FULFILLED' }, replayed: false });
    const again = await souk.as(staff, () => fulfil('DHL 42'));
    expect(again).toEqual({ ...first, replayed: true });
    await expect(souk.as(staff, () => fulfil('DHL 43'))).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });
});

describe('when the service dies in the middle', () => {
  it('finishes the order elsewhere, holding and charging once, and answers its key with it (F2, F14, F16, F25)', async () => {
    const stuck = new Promise<never>(() => undefined);
    neighbours.payments.answer({ authorizePayment: () => stuck });
    const first = placing();
    const { order, accessToken } = await orders.placeOrder(first);
    expect(order?.state).toBe('STATE_PENDING');

    // A second replica: the first one still waits for its answer, and will never get it.
    const second = await souk.replica();
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_AUTHORIZED') });
    expect(await orders.placeOrder(first)).toMatchObject({ replayed: true, order: { orderId: order?.orderId } });
    await finished(order, accessToken);
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_DECLINED') });
    await neighbours.payments.close();
    const asked = neighbours.payments.calls.map(({ request }) => (request as { orderId: string }).orderId);
    expect(new Set(asked)).toEqual(new Set([order?.orderId]));
    await second.stop();
  });
});
