/** What a buyer was shown is what he pays: he names the total, and another one is not charged. */
import type { Money } from '@souk/proto/type/v1';
import type { Neighbours } from './neighbours.js';
import { OrdersUnderTest, placing } from './orders-under-test.js';

const SHOWN = usd(12_900n);

let souk: OrdersUnderTest;
let neighbours: Neighbours;
let orders: OrdersUnderTest['orders'];
let carts: OrdersUnderTest['carts'];

beforeAll(async () => (souk = await OrdersUnderTest.create()));
beforeEach(async () => {
  await souk.begin();
  ({ neighbours, orders, carts } = souk);
});
afterEach(() => souk.end());
afterAll(() => souk.drop());

function usd(amount: bigint): Money {
  return { amount, currency: 'USD' };
}

/** The catalogue asks another price for everything from now on. */
function reprice(price: Money): void {
  neighbours.catalog.answer({
    batchGetVariants: ({ skus }) => ({ variants: skus.map((sku) => ({ sku, productId: 'p', title: sku, price })) }),
  });
}

const held = () => neighbours.inventory.calls.length;

it('is not charged another total than he was shown, until he accepts it (F10, I16)', async () => {
  const request = placing({ expectedTotal: SHOWN });
  reprice(usd(13_900n));
  await expect(orders.placeOrder(request)).rejects.toMatchObject({
    kind: 'refused',
    reason: 'TOTAL_CHANGED',
    metadata: { expected: '12900', total: '13900', currency: 'USD' },
  });
  expect(held()).toBe(0);
  const accepted = await orders.placeOrder({ ...request, expectedTotal: usd(13_900n) });
  expect(accepted).toMatchObject({ replayed: false, order: { state: 'STATE_CONFIRMED', total: usd(13_900n) } });
});

it('is told too where the total became less, or is in another currency', async () => {
  reprice(usd(12_800n));
  const lower = orders.placeOrder(placing({ expectedTotal: SHOWN }));
  await expect(lower).rejects.toMatchObject({ reason: 'TOTAL_CHANGED', metadata: { total: '12800' } });
  reprice({ amount: 12_900n, currency: 'EUR' });
  const foreign = orders.placeOrder(placing({ expectedTotal: SHOWN }));
  await expect(foreign).rejects.toMatchObject({ reason: 'TOTAL_CHANGED', metadata: { currency: 'EUR' } });
  expect(held()).toBe(0);
});

it('gets the first answer again though the price has changed since (F3, F10)', async () => {
  const request = placing({ expectedTotal: SHOWN });
  const { order } = await orders.placeOrder(request);
  reprice(usd(99_900n));
  const again = await orders.placeOrder(request);
  expect(again).toMatchObject({ replayed: true, order: { orderId: order?.orderId, total: SHOWN } });
});

it('is not sold what somebody put into his cart meanwhile (F9)', async () => {
  const cartId = await souk.cartWith('LAMP-BRASS', 1);
  const request = placing({ lines: [], cartId, expectedTotal: SHOWN });
  await carts.setCartLine({ cartId, sku: 'LAMP-BRASS', quantity: 2, expectedVersion: 0 });
  await expect(orders.placeOrder(request)).rejects.toMatchObject({ reason: 'TOTAL_CHANGED' });
  expect(held()).toBe(0);
});

it('pays what he was shown, or nothing, while another tab edits the cart (F9, I16)', async () => {
  for (let round = 0; round < 15; round++) {
    const cartId = await souk.cartWith('LAMP-BRASS', 1);
    const edit = carts.setCartLine({ cartId, sku: 'LAMP-BRASS', quantity: 2, expectedVersion: 0 });
    const placed = orders.placeOrder(placing({ lines: [], cartId, expectedTotal: SHOWN }));
    const [edited, outcome] = await Promise.allSettled([edit, placed]);
    if (outcome.status === 'fulfilled') {
      expect(outcome.value.order).toMatchObject({ total: SHOWN, lines: [{ quantity: 1 }] });
      expect(edited).toMatchObject({ status: 'rejected', reason: { reason: 'CART_ORDERED' } });
    } else {
      expect(outcome.reason).toMatchObject({ reason: 'TOTAL_CHANGED' });
      expect(edited.status).toBe('fulfilled');
    }
  }
});

it('names a total that is none', async () => {
  for (const expectedTotal of [usd(-1n), { amount: 1n, currency: 'usd' }]) {
    await expect(orders.placeOrder(placing({ expectedTotal }))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'expected_total' }],
    });
  }
});
