/**
 * Many at once, over REST, against a whole Souk: whatever wins, the stock, the orders and the provider's books agree
 * afterwards. Each test sells a SKU of its own.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';
import { Client, type Answer, type Order, type Problem } from './client.js';
import { tally, times } from './many.js';
import { providerBooks } from './provider.js';

const CARD = 'pm_card_visa';
const PRICE = 1_999;

let souk: LaunchedSouk;
let shop: Client;
let admin: Client;

beforeAll(async () => {
  // Nobody gives up waiting: every order is either sold or refused when it is answered.
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_ORDER_WAIT_MS: '9000' } });
  shop = new Client(souk);
  admin = await shop.asAdmin();
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

/** The counters are what is expected, and the ledger of movements sums to them. */
async function expectStock(sku: string, expected: { onHand: number; held: number }): Promise<void> {
  await eventually(async () => expect(await shop.stock(sku)).toMatchObject(expected));
  let [onHand, held, cursor] = [0, 0, ''];
  do {
    const { body } = await admin.call<Movements>('GET', `/v1/stock/${sku}/movements?limit=100&cursor=${cursor}`);
    for (const { onHandDelta, heldDelta } of body.items) [onHand, held] = [onHand + onHandDelta, held + heldDelta];
    cursor = body.nextCursor ?? '';
  } while (cursor !== '');
  expect({ onHand, held }).toEqual(expected);
}

interface Movements {
  readonly items: readonly { readonly onHandDelta: number; readonly heldDelta: number }[];
  readonly nextCursor: string | null;
}

/** Waits until the money of a confirmed order was taken: once. */
function expectPaidOnce(orderId: string): Promise<void> {
  return expectPaid(new Set([orderId]), 1);
}

/** Waits until the provider has charged just so many of these orders, each of them once, and keeps nothing else for them. */
async function expectPaid(orders: ReadonlySet<string>, count: number): Promise<void> {
  const paid = { charges: count, taken: count * PRICE, givenBack: 0, setAside: false };
  const patience = { timeoutMs: 5_000 + count * 200, intervalMs: 100 };
  await eventually(async () => expect(await providerBooks(souk, orders)).toEqual(paid), patience);
}

/** The orders that answers told of, sold or refused. */
function ordersIn(answers: readonly Answer<Partial<Order & Problem>>[]): Set<string> {
  return new Set(answers.map(({ body }) => body.orderId ?? body.id ?? ''));
}

describe('stock', () => {
  it('sells the last unit to one of 100 buyers (F28)', async () => {
    const sku = await admin.sell(1);
    const answers = await times(100, () => shop.placeOrder<Partial<Order & Problem>>({ sku, token: CARD }));
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 1, '409 STOCK_SHORT': 99 });
    expect(ordersIn(answers).size).toBe(100);
    await expectStock(sku, { onHand: 0, held: 0 });
    await expectPaid(ordersIn(answers), 1);
  });

  it('sells 200 units to 500 buyers, 64 at a time, and refuses exactly the rest (F38)', async () => {
    const sku = await admin.sell(200);
    const answers = await times(500, () => shop.placeOrder<Partial<Order & Problem>>({ sku, token: CARD }), 64);
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 200, '409 STOCK_SHORT': 300 });
    expect(ordersIn(answers).size).toBe(500);
    await expectStock(sku, { onHand: 0, held: 0 });
    await expectPaid(ordersIn(answers), 200);
  });

  it('sells two SKUs to buyers who name them in opposite order (F37)', async () => {
    const [one, two] = [await admin.sell(100), await admin.sell(100)];
    const ways = [
      [one, two],
      [two, one],
    ].map((skus) => skus.map((sku) => ({ sku, quantity: 2 })));
    let next = 0;
    const answers = await times(60, () => shop.placeOrder({ lines: ways[next++ % 2] ?? [] }));
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 50, '409 STOCK_SHORT': 10 });
    for (const sku of [one, two]) await expectStock(sku, { onHand: 0, held: 0 });
  });

  it('keeps count while staff corrects what is being sold (F33)', async () => {
    const sku = await admin.sell(50);
    const adjust = (delta: number, key: string) =>
      admin.call('POST', `/v1/stock/${sku}/adjustments`, { delta }, { 'idempotency-key': key });
    const corrections = Array.from({ length: 10 }, (_, n) => [n % 2 === 0 ? 3 : -2, randomUUID()] as const);
    const [answers, adjusted] = await Promise.all([
      times(40, () => shop.placeOrder({ sku })),
      // Each is sent twice and counts once.
      Promise.all([...corrections, ...corrections].map(([delta, key]) => adjust(delta, key))),
    ]);
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 40 });
    expect(adjusted.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(10);
    await expectStock(sku, { onHand: 50 - 40 + 5 * 3 - 5 * 2, held: 0 });
  });
});

describe('one key', () => {
  it('places one order and charges once, however often it is sent at once (F1, F5)', async () => {
    const sku = await admin.sell(60);
    const key = randomUUID();
    const answers = await times(50, () => shop.placeOrder({ sku, token: CARD }, key));
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 50 });
    const ids = new Set(answers.map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    await expectStock(sku, { onHand: 59, held: 0 });
    await expectPaidOnce([...ids][0] ?? '');
  });

  it('is refused for another order, also while the first one is being placed (F4)', async () => {
    const sku = await admin.sell(10);
    const key = randomUUID();
    const answers = await Promise.all([
      shop.placeOrder<Partial<Order & Problem>>({ sku, token: CARD }, key),
      shop.placeOrder<Partial<Order & Problem>>({ sku, token: CARD, quantity: 2 }, key),
    ]);
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 1, '422 REQUEST_ID_REUSED': 1 });
    const bought = PRICE * 2 === answers.find(({ status }) => status === 201)?.body.total?.amount ? 2 : 1;
    await expectStock(sku, { onHand: 10 - bought, held: 0 });
  });

  it('finds the order of a client that gave up waiting, and charges once (F2, F3)', async () => {
    const sku = await admin.sell(10);
    const order = { sku, token: 'pm_sandbox_slow_1500' };
    const key = randomUUID();
    await expect(shop.placeOrder(order, key, AbortSignal.timeout(300))).rejects.toThrow();
    const { status, headers, body } = await shop.placeOrder(order, key);
    expect([status, body.state, headers.get('idempotency-replayed')]).toEqual([201, 'CONFIRMED', 'true']);
    await expectStock(sku, { onHand: 9, held: 0 });
    await expectPaidOnce(body.id);
  });
});

describe('one cart', () => {
  it('becomes one order in two tabs (F7)', async () => {
    const sku = await admin.sell(10);
    const { body: cart } = await shop.call<{ id: string }>('POST', '/v1/carts');
    await shop.call('PUT', `/v1/carts/${cart.id}/lines/${sku}`, { quantity: 1 });
    const answers = await times(8, () => shop.placeOrder({ cartId: cart.id, token: CARD }));
    expect(tally(answers)).toEqual({ '201 CONFIRMED': 8 });
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await expectStock(sku, { onHand: 9, held: 0 });
    await expectPaidOnce(answers[0]?.body.id ?? '');
  });
});

describe('the hold of a cart', () => {
  it('keeps the last unit for its cart while others try to buy it', async () => {
    const sku = await admin.sell(1);
    const { body: cart } = await shop.call<{ id: string }>('POST', '/v1/carts');
    await shop.call('PUT', `/v1/carts/${cart.id}/lines/${sku}`, { quantity: 1 });
    const held = await shop.call<{ expiresAt: string }>('POST', `/v1/carts/${cart.id}/hold`);
    expect(held.status).toBe(200);
    expect(Date.parse(held.body.expiresAt)).toBeGreaterThan(Date.now());
    const others = await times(20, () => shop.placeOrder<Partial<Order & Problem>>({ sku }));
    expect(tally(others)).toEqual({ '409 STOCK_SHORT': 20 });
    expect(tally([await shop.placeOrder({ cartId: cart.id })])).toEqual({ '201 CONFIRMED': 1 });
    await expectStock(sku, { onHand: 0, held: 0 });
  });

  it('is refused as a whole where anything in it is short', async () => {
    const sku = await admin.sell(1);
    const { body: cart } = await shop.call<{ id: string }>('POST', '/v1/carts');
    await shop.call('PUT', `/v1/carts/${cart.id}/lines/${sku}`, { quantity: 2 });
    const { status, body } = await shop.call<Problem>('POST', `/v1/carts/${cart.id}/hold`);
    expect({ status, ...body }).toMatchObject({
      status: 409,
      reason: 'STOCK_SHORT',
      shortages: [{ sku, requested: 2, available: 1 }],
    });
    await expectStock(sku, { onHand: 1, held: 0 });
  });
});

describe('cancelling', () => {
  it.each([0, 30, 60, 100, 150, 400])(
    'an order that is being placed ends cancelled, with nothing held and nothing charged: %i ms after it is seen',
    async (ms) => {
      const sku = await admin.sell(5);
      const customer = await shop.asCustomer();
      const placing = customer.placeOrder({ sku, token: 'pm_sandbox_slow_200' });
      const { id } = await eventually(() => newestOrder(customer), { intervalMs: 5 });
      await sleep(ms);
      const { status } = await customer.call('POST', `/v1/orders/${id}/cancel`);
      expect(status).toBe(200);
      await placing;
      await eventually(async () => expect((await customer.order({ id })).state).toBe('CANCELLED'));
      await expectStock(sku, { onHand: 5, held: 0 });
      await eventually(async () => {
        const { taken, givenBack, setAside } = await providerBooks(souk, id);
        expect([taken - givenBack, setAside]).toEqual([0, false]);
      });
      const ends = (await happened(customer, id)).filter((kind) => ['REJECTED', 'CANCELLED'].includes(kind));
      expect(ends).toEqual(['CANCELLED']);
    },
  );
});

describe('refunding', () => {
  let order: Order;

  beforeEach(async () => {
    order = (await shop.placeOrder({ sku: await admin.sell(1), token: CARD })).body;
    await expectPaidOnce(order.id);
  });

  const refund = (amount: number, key: string = randomUUID()) =>
    admin.call<Partial<Refund & Problem>>(
      'POST',
      `/v1/orders/${order.id}/refunds`,
      { amount },
      { 'idempotency-key': key },
    );

  /** The provider gave back that much in so many refunds, and the order says so. */
  async function expectRefunds(count: number, amount: number): Promise<void> {
    await eventually(async () => {
      const { body: payment } = await admin.call<Payment>('GET', `/v1/orders/${order.id}/payment`);
      expect(payment.refunds.filter(({ state }) => state === 'SUCCEEDED')).toHaveLength(count);
      expect(payment.refunded.amount).toBe(amount);
      expect(await providerBooks(souk, order.id)).toMatchObject({ taken: PRICE, givenBack: amount });
      expect(await shop.order(order)).toMatchObject({ refunded: { amount } });
    });
  }

  const accepted = (answers: readonly Answer<unknown>[]) => answers.filter(({ status }) => status < 300).length;

  it('gives back twice at once no more than was captured (F48)', async () => {
    const answers = await times(2, () => refund(PRICE));
    expect(accepted(answers)).toBe(1);
    expect(answers.find(({ status }) => status >= 300)?.status).toBe(409);
    await expectRefunds(1, PRICE);
  });

  it('gives parts back at once as long as something is left (F48)', async () => {
    const answers = await times(10, () => refund(300));
    expect(accepted(answers)).toBe(6);
    expect(answers.filter(({ status, body }) => status === 409 && body.reason === 'AMOUNT_TOO_HIGH')).toHaveLength(4);
    await expectRefunds(6, 1_800);
  });

  it('gives back once per key, however often it is sent at once (F1, F5)', async () => {
    const key = randomUUID();
    const answers = await times(10, () => refund(500, key));
    expect(accepted(answers)).toBe(10);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await expectRefunds(1, 500);
    expect((await refund(501, key)).status).toBe(422);
  });
});

interface Refund {
  readonly id: string;
  readonly state: string;
}

interface Payment {
  readonly refunded: { readonly amount: number };
  readonly refunds: readonly Refund[];
}

async function newestOrder(customer: Client): Promise<Order> {
  const { body } = await customer.call<{ items: Order[] }>('GET', '/v1/orders?limit=1');
  const [order] = body.items;
  if (!order) throw new Error('There is no order yet.');
  return order;
}

/** The kinds of what happened to an order, oldest first. */
async function happened(customer: Client, id: string): Promise<string[]> {
  const { body } = await customer.call<{ items: { kind: string }[] }>('GET', `/v1/orders/${id}/timeline`);
  return body.items.map(({ kind }) => kind);
}
