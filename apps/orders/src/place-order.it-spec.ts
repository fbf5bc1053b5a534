/**
 * Bursts of requests by a few people with a few keys and carts, in between which orders are settled: what one key, one cart
 * and one customer are promised holds whatever comes at once.
 */
import fc from 'fast-check';
import type { User } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { sql, uuidv7 } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { ANY_TIME, newOrder } from '../test/order-builder.js';
import { CartsStore } from './carts.store.js';
import { ClaimsStore } from './claims.store.js';
import { newCart, setLine } from './domain/cart.js';
import { cancelOrder, confirmOrder, rejectOrder, type Order } from './domain/order.js';
import { paymentDeclined } from './domain/rejections.js';
import { OrdersStore } from './orders.store.js';
import { PlaceOrder } from './place-order.js';
import type { Prices } from './prices.js';
import type { SagaRunner } from './saga-runner.js';

const PEOPLE = 3;
const CARTS_EACH = 3;
const KEYS = ['k1', 'k2', 'k3', 'k4'];
const LIVE_CARTS = sql(
  'test.live-orders-of-carts',
  `SELECT count(*)::int AS orders FROM orders WHERE state <> 'REJECTED' AND cart_id = ANY($1::uuid[]) GROUP BY cart_id`,
);
const TWINS = sql(
  'test.twins',
  `SELECT customer_id FROM orders WHERE state = 'PENDING' AND NOT cancel_requested AND customer_id = ANY($1::uuid[])
    GROUP BY customer_id, lines_digest HAVING count(*) > 1`,
);

let postgres: TestDatabase;
let orders: OrdersStore;
let carts: CartsStore;
let placing: PlaceOrder;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/orders/migrations' });
  orders = new OrdersStore(postgres.database, { leaseMs: 60_000, sagaVersion: 1, onCommitted: () => undefined });
  carts = new CartsStore(postgres.database);
  const offer = { sku: 'LAMP-BRASS', title: 'Lamp', price: { amount: 12_900n, currency: 'USD' } };
  const prices = { offersFor: async () => new Map([[offer.sku, offer]]) } as unknown as Prices;
  // Orders are settled by the test, when it wants.
  const sagas = { run: async () => undefined, awaitOutcome: (orderId: string) => orders.get(orderId) };
  placing = new PlaceOrder(orders, new ClaimsStore(postgres.database), carts, prices, sagas as unknown as SagaRunner);
});
afterAll(() => postgres.drop());

const request = fc.record({
  person: fc.nat(PEOPLE - 1),
  cart: fc.nat(CARTS_EACH - 1),
  key: fc.constantFrom(...KEYS),
});
const settling = fc.constantFrom('confirm', 'reject', 'cancel', 'nothing');
const bursts = fc.array(fc.tuple(fc.array(request, { minLength: 1, maxLength: 8 }), settling), { maxLength: 6 });
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function customer(userId: string): User {
  return { kind: 'user', userId, email: '', emailVerified: true, roles: [], permissions: [], sessionId: '' };
}

/** Within a burst one key stands for one request; over several bursts it may be misused for others. */
function eachKeyForOneCart(requests: readonly Request[]): Request[] {
  const cartOf = new Map<string, number>();
  return requests.map((each) => {
    const key = `${each.person} ${each.key}`;
    cartOf.set(key, cartOf.get(key) ?? each.cart);
    return { ...each, cart: cartOf.get(key) ?? each.cart };
  });
}

/** Some people, each with some carts of the same lines. */
async function crowd() {
  const userIds = Array.from({ length: PEOPLE }, () => uuidv7());
  const cartIds = await Promise.all(
    userIds.map((userId) =>
      Promise.all(
        Array.from({ length: CARTS_EACH }, async () => {
          const cart = setLine(newCart(uuidv7(), userId, ANY_TIME), 'LAMP-BRASS', 1, ANY_TIME);
          await carts.insert(cart);
          return cart.cartId;
        }),
      ),
    ),
  );
  const place = async ({ person, cart, key }: Request): Promise<Order | string> => {
    const { email, shippingAddress, payment } = newOrder();
    const cartId = cartIds[person]?.[cart] ?? '';
    const principal = customer(userIds[person] ?? '');
    const command = {
      requestId: key,
      lines: [],
      cartId,
      email,
      shippingAddress,
      payment,
      principal,
      fingerprint: cartId,
    };
    return placing.execute(command, 0).then(
      ({ order }) => order,
      (error: unknown) => (error instanceof DomainError ? error.reason : Promise.reject(error as Error)),
    );
  };
  return { userIds, cartIds: cartIds.flat(), place };
}

async function settle(orderId: string, how: string): Promise<void> {
  await orders.update(orderId, (order) => {
    if (order.state !== 'PENDING' || how === 'nothing') return { order, events: [] };
    if (how === 'confirm') return confirmOrder(order, [], ANY_TIME);
    if (how === 'reject') return rejectOrder(order, paymentDeclined('expired_card'), [], ANY_TIME);
    return cancelOrder(order, ANY_TIME);
  });
}

it('one key has one answer for ever, one cart one order, one customer one order of the same lines at a time (F1, F5, F7, F8, I5, I6)', async () => {
  await fc.assert(
    fc.asyncProperty(bursts, async (given) => {
      const { userIds, cartIds, place } = await crowd();
      const answered = new Map<string, { cart: number; orderId: string }>();
      for (const [requests, how] of given) {
        const calls = eachKeyForOneCart(requests).map(async (each) => ({ ...each, outcome: await place(each) }));
        const outcomes = await Promise.all(calls);
        for (const { person, key, cart, outcome } of outcomes) {
          const known = answered.get(`${person} ${key}`);
          if (typeof outcome === 'string') {
            expect(outcome).toBe('REQUEST_ID_REUSED');
            expect(known?.cart).not.toBe(cart);
          } else {
            expect({ cart, orderId: outcome.orderId }).toEqual(known ?? { cart, orderId: outcome.orderId });
            answered.set(`${person} ${key}`, { cart, orderId: outcome.orderId });
          }
        }
        expect(await postgres.database.query(TWINS, [userIds])).toEqual([]);
        const live = await postgres.database.query<{ orders: number }>(LIVE_CARTS, [cartIds]);
        for (const cart of live) expect(cart.orders).toBe(1);
        const ids = outcomes.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : [outcome.orderId]));
        for (const orderId of new Set(ids)) await settle(orderId, how);
      }
    }),
    { numRuns: 60 },
  );
});
