import { randomUUID } from 'node:crypto';
import { DomainError } from '@souk/errors';
import { eventually } from '@souk/testing';
import { paymentIn, type Neighbours } from './neighbours.js';
import { callsOf, HOLD_SECONDS, OrdersUnderTest, placing } from './orders-under-test.js';

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

const ordering = (cartId: string) => placing({ lines: [], cartId });

describe('a cart', () => {
  it('is priced, ordered once, and then closed (F7, F9)', async () => {
    const cartId = await souk.cartWith('NECKLACE-SILVER');
    expect((await carts.getCart({ cartId })).cart?.total?.amount).toBe(8_598n);
    const tabs = await Promise.all([1, 2].map(() => orders.placeOrder(ordering(cartId))));
    const [one, two] = tabs;
    expect(one?.order?.orderId).toBe(two?.order?.orderId);
    expect(tabs.map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(callsOf(neighbours.payments)).toEqual(['authorizePayment']);
    const change = { cartId, sku: 'LAMP-BRASS', quantity: 1, expectedVersion: 0 };
    await expect(carts.setCartLine(change)).rejects.toMatchObject({ reason: 'CART_ORDERED' });
    expect((await carts.getCart({ cartId })).cart?.orderId).toBe(one?.order?.orderId);
  });

  it('gives its first order for a new key too, which then is the key of that order alone (F4, F7)', async () => {
    const cartId = await souk.cartWith('NECKLACE-SILVER');
    const first = await orders.placeOrder(ordering(cartId));
    const retry = ordering(cartId);
    for (let n = 0; n < 2; n++) {
      const again = await orders.placeOrder(retry);
      expect(again).toMatchObject({ replayed: true, order: { orderId: first.order?.orderId } });
    }
    const other = { ...placing(), requestId: retry.requestId };
    await expect(orders.placeOrder(other)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('may be ordered again after a refusal, while the keys of the refused order keep their answer', async () => {
    const cartId = await souk.cartWith('NECKLACE-SILVER');
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_PROCESSING') });
    const first = ordering(cartId);
    const { order } = await orders.placeOrder(first);
    const second = ordering(cartId);
    expect(await orders.placeOrder(second)).toMatchObject({ replayed: true, order: { state: 'STATE_PENDING' } });
    neighbours.payments.answer({
      authorizePayment: () => paymentIn('STATE_DECLINED', 'expired_card'),
      cancelPayment: () => paymentIn('STATE_DECLINED'),
    });
    const refused = { replayed: true, order: { orderId: order?.orderId, state: 'STATE_REJECTED' } };
    await eventually(async () => expect(await orders.placeOrder(first)).toMatchObject(refused), { timeoutMs: 10_000 });
    expect(await orders.placeOrder(second)).toMatchObject(refused);
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_AUTHORIZED') });
    const third = await orders.placeOrder(ordering(cartId));
    expect(third).toMatchObject({ replayed: false, order: { state: 'STATE_CONFIRMED' } });
  });

  it('belongs to the customer who made it, and so does its order', async () => {
    const mine = { userId: randomUUID() };
    const cartId = await souk.as(mine, () => souk.cartWith('LAMP-BRASS'));
    const stranger = () => orders.placeOrder(ordering(cartId));
    await expect(carts.getCart({ cartId })).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
    await expect(carts.holdCart({ cartId })).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
    await expect(stranger()).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
    await souk.as(mine, () => orders.placeOrder(ordering(cartId)));
    await expect(stranger()).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
  });

  it('is not changed by who has seen an older version', async () => {
    const cartId = await souk.cartWith('LAMP-BRASS');
    const change = { cartId, sku: 'LAMP-BRASS', quantity: 5, expectedVersion: 1 };
    await expect(carts.setCartLine(change)).rejects.toMatchObject({ reason: 'VERSION_MISMATCH' });
    await carts.deleteCart({ cartId });
    await expect(carts.getCart({ cartId })).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
  });
});

describe('a customer who was shown a failure too early', () => {
  it('gets his first order for a new cart with the same lines, also when he repeats that later (F8)', async () => {
    const customer = { userId: randomUUID() };
    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_PROCESSING') });
    const [one, other] = await souk.as(customer, async () => [
      await souk.cartWith('LAMP-BRASS'),
      await souk.cartWith('LAMP-BRASS'),
    ]);
    const first = await souk.as(customer, () => orders.placeOrder(ordering(one)));
    const retry = ordering(other);
    const second = await souk.as(customer, () => orders.placeOrder(retry));
    expect(second).toMatchObject({ replayed: true, order: { orderId: first.order?.orderId, cartId: one } });

    neighbours.payments.answer({ authorizePayment: () => paymentIn('STATE_AUTHORIZED') });
    const settled = { replayed: true, order: { orderId: first.order?.orderId, state: 'STATE_CONFIRMED' } };
    await eventually(
      async () => expect(await souk.as(customer, () => orders.placeOrder(retry))).toMatchObject(settled),
      { timeoutMs: 10_000 },
    );
    expect(await souk.as(customer, () => orders.placeOrder(ordering(other)))).toMatchObject(settled);
    const asked = neighbours.payments.calls.map(({ request }) => (request as { orderId: string }).orderId);
    expect(new Set(asked)).toEqual(new Set([first.order?.orderId]));
  });

  it('gets one order also for ten carts at once (F8)', async () => {
    const customer = { userId: randomUUID() };
    const cartIds = await souk.as(customer, () =>
      Promise.all(Array.from({ length: 10 }, () => souk.cartWith('LAMP-BRASS'))),
    );
    let answer: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    neighbours.payments.answer({ authorizePayment: () => slow.then(() => paymentIn('STATE_AUTHORIZED')) });
    const placed = souk.as(customer, () => Promise.all(cartIds.map((cartId) => orders.placeOrder(ordering(cartId)))));
    await eventually(() => expect(callsOf(neighbours.payments)).toEqual(['authorizePayment']));
    const answers = await placed;
    answer();
    expect(new Set(answers.map(({ order }) => order?.orderId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('may buy the same once more after that, and so may two guests at the same time', async () => {
    const customer = { userId: randomUUID() };
    const buy = async () => orders.placeOrder(ordering(await souk.cartWith('LAMP-BRASS')));
    const twice = [await souk.as(customer, buy), await souk.as(customer, buy)];
    const guests = await Promise.all([buy(), buy()]);
    const all = [...twice, ...guests];
    expect(new Set(all.map(({ order }) => order?.orderId)).size).toBe(4);
    expect(all.every(({ replayed }) => !replayed)).toBe(true);
  });
});

describe('holding a cart', () => {
  it('holds its lines for some minutes, and the order takes the hold over', async () => {
    const cartId = await souk.cartWith('NECKLACE-SILVER');
    expect((await carts.holdCart({ cartId })).expireTime?.toISOString()).toBe('2030-01-02T03:04:05.000Z');
    await orders.placeOrder(ordering(cartId));
    expect(neighbours.inventory.calls).toMatchObject([
      {
        method: 'holdCart',
        request: {
          cartId,
          lines: [{ sku: 'NECKLACE-SILVER', quantity: 2 }],
          timeToLive: { seconds: BigInt(HOLD_SECONDS) },
        },
      },
      { method: 'holdStock', request: { cartId } },
    ]);
    await expect(carts.holdCart({ cartId })).rejects.toMatchObject({ reason: 'CART_ORDERED' });
  });

  it('is refused for an empty cart, and where stock is short, which it tells', async () => {
    const { cart } = await carts.createCart({});
    await expect(carts.holdCart({ cartId: cart?.cartId ?? '' })).rejects.toMatchObject({ reason: 'CART_EMPTY' });
    const shortages = [{ sku: 'LAMP-BRASS', requested: 2, available: 1 }];
    neighbours.inventory.answer({ holdCart: () => ({ shortages, expireTime: undefined }) });
    await expect(carts.holdCart({ cartId: await souk.cartWith('LAMP-BRASS') })).rejects.toMatchObject({
      kind: 'refused',
      reason: 'STOCK_SHORT',
      metadata: { shortages: JSON.stringify(shortages) },
    });
  });

  it('ends with the cart, which is deleted though stock can not be reached', async () => {
    const cartId = await souk.cartWith('LAMP-BRASS');
    await carts.deleteCart({ cartId });
    expect(neighbours.inventory.calls).toMatchObject([{ method: 'releaseCart', request: { cartId } }]);
    const away = new DomainError({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE', message: 'away' });
    neighbours.inventory.answer({ releaseCart: () => Promise.reject(away) });
    const another = await souk.cartWith('LAMP-BRASS');
    await carts.deleteCart({ cartId: another });
    await expect(carts.getCart({ cartId: another })).rejects.toMatchObject({ reason: 'CART_NOT_FOUND' });
  });
});
