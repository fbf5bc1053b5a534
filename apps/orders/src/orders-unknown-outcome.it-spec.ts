/** The connection breaks at the COMMIT, as when the primary of the database fails over: nobody knows what became of the work. */
import type { User } from '@souk/auth';
import { Database, sql, uuidv7 } from '@souk/postgres';
import { commitCutter, testDatabase, type CommitCutter, type Cut, type TestDatabase } from '@souk/testing';
import { ANY_TIME, newOrder } from '../test/order-builder.js';
import { CartsStore } from './carts.store.js';
import { ClaimsStore } from './claims.store.js';
import { newCart, setLine } from './domain/cart.js';
import { cancelOrder, confirmOrder, type Order } from './domain/order.js';
import { OrdersStore } from './orders.store.js';
import { PlaceOrder } from './place-order.js';
import type { Prices } from './prices.js';
import type { SagaRunner } from './saga-runner.js';

const CUTS: Cut[] = ['before commit', 'after commit'];
const LEASE = { leaseMs: 60_000, sagaVersion: 1 };
const EVENTS = sql('test.events', 'SELECT type FROM outbox WHERE aggregate_id = $1 ORDER BY sequence');
const ORDERS = sql('test.orders', 'SELECT count(*)::int AS orders FROM orders WHERE customer_id = $1');

let postgres: TestDatabase;
let wire: CommitCutter;
let database: Database;

beforeAll(async () => (postgres = await testDatabase({ migrations: 'apps/orders/migrations' })));
afterAll(() => postgres.drop());
beforeEach(async () => {
  wire = await commitCutter(postgres.url);
  database = Database.connect({ url: wire.url, name: 'cut', poolSize: 1 });
});
afterEach(async () => {
  await database.close();
  await wire.close();
});

function storeOn(its: Database): OrdersStore {
  return new OrdersStore(its, { ...LEASE, onCommitted: () => undefined });
}

function placingOn(its: Database): PlaceOrder {
  const orders = storeOn(its);
  const offer = { sku: 'LAMP-BRASS', title: 'Lamp', price: { amount: 12_900n, currency: 'USD' } };
  const prices = { offersFor: async () => new Map([[offer.sku, offer]]) } as unknown as Prices;
  // Nothing is settled here.
  const sagas = { run: async () => undefined, awaitOutcome: (orderId: string) => orders.get(orderId) };
  const [claims, carts] = [new ClaimsStore(its), new CartsStore(its)];
  return new PlaceOrder(orders, claims, carts, prices, sagas as unknown as SagaRunner);
}

async function aBuyer(from: 'a cart' | 'lines') {
  const userId = uuidv7();
  const cart = setLine(newCart(uuidv7(), userId, ANY_TIME), 'LAMP-BRASS', 1, ANY_TIME);
  await new CartsStore(postgres.database).insert(cart);
  const principal: User = {
    kind: 'user',
    userId,
    email: '',
    emailVerified: true,
    roles: [],
    permissions: [],
    sessionId: '',
  };
  const { email, shippingAddress, payment } = newOrder();
  const common = { requestId: uuidv7(), email, shippingAddress, payment, principal, fingerprint: 'f' };
  return {
    userId,
    command: { ...common, ...(from === 'a cart' ? { cartId: cart.cartId, lines: [] } : { lines: cart.lines }) },
  };
}

async function eventsOf({ orderId }: Order): Promise<string[]> {
  const rows = await postgres.database.query<{ type: string }>(EVENTS, [orderId]);
  return rows.map(({ type }) => type.replace('souk.orders.v1.', ''));
}

async function anOrder() {
  const { command } = await aBuyer('lines');
  const { order } = await placingOn(postgres.database).execute(command, 0);
  return order;
}

describe.each(CUTS)('where the connection breaks %s', (cut) => {
  it.each(['a cart', 'lines'] as const)(
    'one order is placed of %s, however often it is asked for (F2, F68)',
    async (from) => {
      const { userId, command } = await aBuyer(from);
      wire.cutNext(cut);
      const first = placingOn(database).execute(command, 0);
      if (cut === 'before commit') await expect(first).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
      else expect(await first).toMatchObject({ replayed: true });
      const again = await placingOn(postgres.database).execute(command, 0);
      expect(again).toMatchObject({ replayed: cut === 'after commit', order: { state: 'PENDING' } });
      expect(await postgres.database.query(ORDERS, [userId])).toEqual([{ orders: 1 }]);
      expect(await eventsOf(again.order)).toEqual(['OrderPlaced']);
    },
  );

  it('an order is cancelled once with a key (F68)', async () => {
    const { orderId, number: key } = await anOrder();
    const cancel = (its: Database) =>
      storeOn(its).update(orderId, (order) => cancelOrder(order, ANY_TIME), {
        principal: 'guest',
        operation: 'CancelOrder',
        key,
        fingerprint: 'f',
      });
    wire.cutNext(cut);
    await expect(cancel(database)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await cancel(postgres.database)).toMatchObject({ replayed: cut === 'after commit', order: { version: 2 } });
  });

  it("a saga's step is written once, and whoever repeats it learns that it was (F22, F68)", async () => {
    const order = await anOrder();
    wire.cutNext(cut);
    const step = (its: Database) => storeOn(its).saveStep(confirmOrder(order, [], ANY_TIME), 1);
    await expect(step(database)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await step(postgres.database)).toBe(cut === 'before commit');
    expect(await storeOn(postgres.database).get(order.orderId)).toMatchObject({ state: 'CONFIRMED', version: 2 });
    expect(await eventsOf(order)).toEqual(['OrderPlaced', 'OrderConfirmed']);
  });
});
