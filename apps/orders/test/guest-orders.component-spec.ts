import { randomUUID } from 'node:crypto';
import { sql } from '@souk/postgres';
import { EmailVerified } from '@souk/proto/identity/v1';
import { eventually } from '@souk/testing';
import { userWith } from './neighbours.js';
import { OrdersUnderTest, placing } from './orders-under-test.js';

const HANDLED = sql('test.handled', 'SELECT count(*)::int AS count FROM inbox WHERE event_id = $1');
const AS_BEFORE = sql('test.as-before', 'UPDATE orders SET guest_key = NULL WHERE order_id = $1');
const VERIFIED = 'souk.identity.v1.EmailVerified';

let souk: OrdersUnderTest;
let orders: OrdersUnderTest['orders'];

beforeAll(async () => {
  souk = await OrdersUnderTest.create();
  await souk.begin();
  ({ orders } = souk);
});
afterAll(async () => {
  await souk.end();
  await souk.drop();
});

interface GuestOrder {
  readonly orderId: string;
  readonly accessToken: string;
}

async function guestOrder(email: string): Promise<GuestOrder> {
  const { order, accessToken } = await orders.placeOrder(placing({ email }));
  return { orderId: order?.orderId ?? '', accessToken };
}

/** A new address, and somebody whom identity says it belongs to. */
function somebody() {
  return { userId: randomUUID(), email: `${randomUUID()}@example.com` };
}

async function ordersOf(userId: string): Promise<string[]> {
  const { orders: found } = await souk.as({ userId }, () =>
    orders.listOrders({ pageSize: 0, pageToken: '', state: 'STATE_UNSPECIFIED' }),
  );
  return found.map(({ orderId }) => orderId);
}

/** @param change what identity says of the caller, beside that the address is proved */
function claim({ userId, email }: { userId: string; email: string }, change = {}): Promise<number> {
  souk.neighbours.identity.answer({ getUser: () => userWith({ userId, email, ...change }) });
  return souk.as({ userId }, async () => (await orders.claimOrders({})).count);
}

async function verified(who: { userId: string; email: string }, verifyTime = new Date(), id?: string): Promise<string> {
  const event = await souk.publish(VERIFIED, who.userId, EmailVerified.toJSON({ ...who, verifyTime }), id);
  await eventually(async () => {
    expect(await souk.postgres.database.query(HANDLED, [event])).toEqual([{ count: 1 }]);
  });
  return event;
}

describe('a proof of an address', () => {
  it("brings the guest's orders of it to the account, and no others", async () => {
    const ada = somebody();
    const mine = [await guestOrder(ada.email), await guestOrder(ada.email.toUpperCase())];
    await guestOrder(`x${ada.email}`);
    await verified(ada);
    expect((await ordersOf(ada.userId)).sort()).toEqual(mine.map(({ orderId }) => orderId).sort());
    expect(await claim(ada)).toBe(0);
  });

  it('brings orders that the release before wrote', async () => {
    const ada = somebody();
    const { orderId } = await guestOrder(ada.email.toUpperCase());
    await souk.postgres.database.query(AS_BEFORE, [orderId]);
    await verified(ada);
    expect(await ordersOf(ada.userId)).toEqual([orderId]);
  });

  it('decides nothing about orders that were placed after it', async () => {
    const ada = somebody();
    const before = new Date();
    await guestOrder(ada.email);
    await verified(ada, before);
    expect(await ordersOf(ada.userId)).toEqual([]);
  });

  it('may come late and twice: what has come to another account stays there', async () => {
    const first = somebody();
    const second = { ...somebody(), email: first.email };
    const before = await guestOrder(first.email);
    const [early, late] = [new Date(), new Date(Date.now() + 1)];
    const id = await verified(second, late);
    const between = await guestOrder(first.email);
    await verified(first, early);
    await souk.publish(VERIFIED, second.userId, EmailVerified.toJSON({ ...second, verifyTime: late }), id);
    expect(await ordersOf(first.userId)).toEqual([]);
    expect(await ordersOf(second.userId)).toEqual([before.orderId]);
    expect(await claim(second)).toBe(1);
    expect(await ordersOf(second.userId)).toEqual([between.orderId, before.orderId]);
  });

  it('takes no order from the customer who placed it logged in', async () => {
    const [ada, placer] = [somebody(), somebody()];
    await souk.as(placer, () => orders.placeOrder(placing({ email: ada.email })));
    await verified(ada);
    expect(await ordersOf(ada.userId)).toEqual([]);
    expect(await ordersOf(placer.userId)).toHaveLength(1);
  });
});

describe('claiming', () => {
  it('asks identity, not the access token, whose address it is', async () => {
    const ada = somebody();
    const { orderId } = await guestOrder(ada.email);
    await expect(claim(ada, { emailVerified: false })).rejects.toMatchObject({ reason: 'EMAIL_NOT_VERIFIED' });
    await expect(claim(ada, { email: '' })).rejects.toMatchObject({ reason: 'EMAIL_NOT_VERIFIED' });
    await expect(claim(ada, { userId: randomUUID() })).rejects.toMatchObject({ reason: 'EMAIL_NOT_VERIFIED' });
    expect(await claim(ada, { email: `x${ada.email}` })).toBe(0);
    expect(await ordersOf(ada.userId)).toEqual([]);
    expect(await claim(ada)).toBe(1);
    expect(await ordersOf(ada.userId)).toEqual([orderId]);
  });

  it('gives nothing while identity is away', async () => {
    const ada = somebody();
    await guestOrder(ada.email);
    souk.neighbours.identity.answer({ getUser: () => Promise.reject(new Error('away')) });
    await expect(souk.as(ada, () => orders.claimOrders({}))).rejects.toThrow();
    expect(await ordersOf(ada.userId)).toEqual([]);
  });

  it('is for people who are logged in', async () => {
    await expect(orders.claimOrders({})).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  it('gives each order once, whoever and whatever comes at once', async () => {
    const [one, other] = [somebody(), somebody()];
    const email = one.email;
    const placed = await Promise.all(Array.from({ length: 12 }, () => guestOrder(email)));
    souk.neighbours.identity.answer({ getUser: (_, metadata) => userWith({ email, userId: subjectIn(metadata) }) });
    const claims = [one, other, one, other, one].map(({ userId }) =>
      souk.as({ userId }, async () => (await orders.claimOrders({})).count),
    );
    const [counts] = await Promise.all([Promise.all(claims), verified({ ...other, email }), verified(one)]);
    const theirs = [...(await ordersOf(one.userId)), ...(await ordersOf(other.userId))];
    expect(theirs.sort()).toEqual(placed.map(({ orderId }) => orderId).sort());
    expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(placed.length);
  });
});

describe('the token of an order that came to an account', () => {
  it('goes on opening it, and tells neither that there is an account nor whose', async () => {
    const ada = somebody();
    const request = placing({ email: ada.email });
    const placed = await orders.placeOrder(request);
    const { orderId = '', version } = placed.order ?? {};
    const { accessToken } = placed;
    await verified(ada);
    const read = await orders.getOrder({ orderId, accessToken });
    const again = await orders.placeOrder(request);
    const cancelled = await orders.cancelOrder({ orderId, accessToken, requestId: '' });
    expect(read.order).toEqual(placed.order);
    expect(read.order?.version).toBe(version);
    expect([again, cancelled].map(({ order }) => order?.customerId)).toEqual(['', '']);
    const { order: own } = await souk.as(ada, () => orders.getOrder({ orderId, accessToken: '' }));
    const { order: seen } = await souk.asStaff(() => orders.getOrder({ orderId, accessToken: '' }));
    expect([own?.customerId, seen?.customerId]).toEqual([ada.userId, ada.userId]);
  });
});

/** Who called, by the access token that came along. */
function subjectIn(metadata: { get(key: string): (string | Buffer)[] }): string {
  const [, payload = ''] = String(metadata.get('authorization')[0]).split('.');
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub;
}
