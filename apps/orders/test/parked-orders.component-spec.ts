import { sql } from '@souk/postgres';
import { OperationsServiceService } from '@souk/proto/operations/v1';
import { OrdersServiceService } from '@souk/proto/orders/v1';
import { eventually } from '@souk/testing';
import { callsOf, OrdersUnderTest, placing } from './orders-under-test.js';

const ALMOST_PARKED = sql('test.almost-parked', 'UPDATE orders SET saga_faults = 14 WHERE order_id = $1');

let souk: OrdersUnderTest;
let orders: OrdersUnderTest['orders'];

beforeAll(async () => (souk = await OrdersUnderTest.create()));
beforeEach(async () => {
  await souk.begin();
  ({ orders } = souk);
});
afterEach(() => souk.end());
afterAll(() => souk.drop());

/** An order that fails for a reason of its own until it is cured. */
async function poison() {
  const poisoned = new Set<string>();
  souk.neighbours.inventory.answer({
    holdStock: ({ orderId, lines }) => {
      if (lines[0]?.quantity === 13) poisoned.add(orderId);
      if (poisoned.has(orderId)) throw new Error('a bug');
      return { state: 'STATE_HELD', shortages: [] };
    },
  });
  const { order, accessToken } = await orders.placeOrder(placing({ lines: [{ sku: 'LAMP-BRASS', quantity: 13 }] }));
  const orderId = order?.orderId ?? '';
  const read = async () => (await orders.getOrder({ orderId, accessToken })).order;
  const cure = () => souk.neighbours.inventory.answer({ holdStock: () => ({ state: 'STATE_HELD', shortages: [] }) });
  const cancel = () => orders.cancelOrder({ orderId, accessToken, requestId: '' });
  return { orderId, read, cure, cancel };
}

const parked = async () =>
  (await souk.asStaff(() => orders.listParkedOrders({ pageSize: 0, pageToken: '' }))).orders.map((saga) => ({
    orderId: saga.order?.orderId,
    error: saga.error,
  }));

async function givenUp(orderId: string): Promise<void> {
  await souk.postgres.database.query(ALMOST_PARKED, [orderId]);
  const expected = [{ orderId, error: expect.stringContaining('INTERNAL') }];
  await eventually(async () => expect(await parked()).toEqual(expected), { timeoutMs: 10_000 });
}

describe('an order that was cancelled and left something behind', () => {
  it('gives that back when it is resumed (F73)', async () => {
    const { order, accessToken } = await orders.placeOrder(placing());
    const orderId = order?.orderId ?? '';
    await orders.cancelOrder({ orderId, accessToken, requestId: '' });
    const operator = souk.operator(OrdersServiceService);
    await operator.resumeOrder({ orderId });
    const { inventory, payments } = souk.neighbours;
    await eventually(() => expect(callsOf(inventory)).toEqual(['holdStock', 'releaseStock', 'releaseStock']));
    expect(callsOf(payments)).toEqual(['authorizePayment', 'cancelPayment', 'cancelPayment']);
    operator.close();
  });
});

describe('an order that fails for a reason of its own', () => {
  it('is given up, leaves the others alone, and goes on when it is resumed (F27)', async () => {
    const { orderId, read, cure } = await poison();
    await givenUp(orderId);
    expect((await orders.placeOrder(placing())).order?.state).toBe('STATE_CONFIRMED');
    cure();
    const operator = souk.operator(OrdersServiceService);
    for (let n = 0; n < 2; n++) expect((await operator.resumeOrder({ orderId })).order?.orderId).toBe(orderId);
    await eventually(async () => expect((await read())?.state).toBe('STATE_CONFIRMED'));
    expect(await parked()).toEqual([]);
    operator.close();
  });

  it('is found by a comparison, which names what mends it', async () => {
    const { orderId, cure, read } = await poison();
    await givenUp(orderId);
    const [operations, operator] = [souk.operator(OperationsServiceService), souk.operator(OrdersServiceService)];
    const compare = async () => (await operations.reconcile({ checks: ['orders-sagas'] })).differences;
    expect(await compare()).toMatchObject([
      { check: 'orders-sagas', subject: orderId, mend: `npm run ops -- orders resume ${orderId}` },
    ]);
    cure();
    await operator.resumeOrder({ orderId });
    await eventually(async () => expect((await read())?.state).toBe('STATE_CONFIRMED'));
    expect(await compare()).toEqual([]);
    [operations, operator].forEach((client) => client.close());
  });

  it('can be cancelled after it was given up: what it holds goes back (F23, F27)', async () => {
    const { orderId, read, cancel } = await poison();
    await givenUp(orderId);
    await cancel();
    await eventually(async () => {
      const order = await read();
      expect(order?.state).toBe('STATE_CANCELLED');
      expect(order?.timeline.map(({ kind }) => kind)).toContain('STOCK_RELEASED');
    });
    expect(await parked()).toEqual([]);
  });

  it('does not keep others from being taken over, however many of them there are (F25, F27)', async () => {
    const away = new Promise<never>(() => undefined);
    souk.neighbours.inventory.answer({ holdStock: () => away });
    const stuck = await Promise.all(Array.from({ length: 40 }, () => orders.placeOrder(placing())));
    expect(new Set(stuck.map(({ order }) => order?.state))).toEqual(new Set(['STATE_PENDING']));
    // All forty are run by this process, and none of them will end there: its own work must not keep it from taking over.
    souk.neighbours.inventory.answer({ holdStock: () => ({ state: 'STATE_HELD', shortages: [] }) });
    await eventually(
      async () => {
        const [first] = stuck;
        const { order } = await orders.getOrder({
          orderId: first?.order?.orderId ?? '',
          accessToken: first?.accessToken ?? '',
        });
        expect(order?.state).toBe('STATE_CONFIRMED');
      },
      { timeoutMs: 10_000 },
    );
  });

  it("is nobody else's business", async () => {
    const anyone = orders.listParkedOrders({ pageSize: 0, pageToken: '' });
    await expect(anyone).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    const { order } = await orders.placeOrder(placing());
    const orderId = order?.orderId ?? '';
    await expect(orders.resumeOrder({ orderId })).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });
});
