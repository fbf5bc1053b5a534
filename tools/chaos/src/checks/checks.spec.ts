import { soundWorld } from '../../test/world-builder.ts';
import type { World } from '../world.ts';
import { checkAll } from './index.ts';

function broken(world: World): string[] {
  return checkAll(world).flatMap(({ id, violations }) => (violations.length > 0 ? [id] : []));
}

/** The sound world with one part of it changed. */
function where<K extends keyof World>(part: K, change: (present: World[K]) => World[K]): World {
  const world = soundWorld();
  return { ...world, [part]: change(world[part]) };
}

it('finds nothing where everything is as it should be', () => {
  expect(checkAll(soundWorld()).flatMap(({ violations }) => violations)).toEqual([]);
});

const order = (id: string, change: Partial<World['orders'][number]>) =>
  where('orders', (orders) => orders.map((one) => (one.order_id === id ? { ...one, ...change } : one)));
const intent = (id: string, change: object) =>
  where('books', (books) => ({
    ...books,
    payment_intents: books.payment_intents.map((one) => (one.id === id ? { ...one, ...change } : one)),
  }));
const orderEvents = (change: (events: World['services'][number]) => World['services'][number]) =>
  where('services', (services) => services.map((one) => (one.service === 'orders' ? change(one) : one)));

it.each<[id: string, what: string, world: World]>([
  ['I1', 'more is sold than came', order('refused', { state: 'CONFIRMED' })],
  [
    'I1',
    'more was held than there was, for a moment',
    where('movements', ([opened, ...rest]) => [...rest, opened as World['movements'][number]]),
  ],
  ['I2', 'a movement is missing', where('movements', (movements) => movements.slice(0, -1))],
  ['I2', 'a cause is there twice', where('movements', (movements) => [...movements, ...movements.slice(-1)])],
  [
    'I3',
    'a cancelled order holds stock',
    where('holds', (holds) => holds.map((hold) => (hold.order_id === 'off' ? { ...hold, state: 'HELD' } : hold))),
  ],
  [
    'I3',
    'a cart lost what it held',
    {
      ...order('refused', { timeline: [{ kind: 'STOCK_SHORT', time: '2026-01-01T00:00:10Z' }] }),
      operations: [
        ...soundWorld().operations,
        {
          ...(soundWorld().operations[0] as World['operations'][number]),
          ...{ kind: 'hold cart', cartId: 'cart-refused', expires: '2026-01-01T00:00:20Z', orderId: undefined },
        },
      ],
    },
  ],
  ['I3', 'a hold has no order', where('orders', (orders) => orders.slice(0, -1))],
  ['I4', 'an acknowledged order is gone', where('orders', (orders) => orders.slice(1))],
  ['I4', 'an order never ends', order('sold', { state: 'PENDING', saga_phase: 'CHECKOUT' })],
  ['I4', 'an order that was called off was sold', order('off', { state: 'CONFIRMED' })],
  [
    'I5',
    'a key was answered with two orders',
    where('operations', (all) => [...all, { ...(all[0] as World['operations'][number]), orderId: 'off' }]),
  ],
  ['I5', 'a key has two orders', order('off', { claim_key: 'key-sold' })],
  ['I6', 'a cart became two orders', order('off', { cart_id: 'cart-sold' })],
  ['I6', 'a number is there twice', order('off', { number: 'N-sold' })],
  [
    'I7',
    'more is captured than was authorised',
    where('payments', (all) => all.map((one) => ({ ...one, captured_amount: one.amount + 1 }))),
  ],
  ['I8', "a charge is nobody's", where('payments', (payments) => payments.slice(1))],
  ['I8', 'the provider still holds money', intent('pi_off', { status: 'requires_capture' })],
  [
    'I8',
    'an order is charged twice',
    where('books', (books) => ({
      ...books,
      payment_intents: [...books.payment_intents, { ...books.payment_intents[0], id: 'pi_twice' } as never],
      charges: [...books.charges, { ...books.charges[0], id: 'ch_twice', payment_intent: 'pi_twice' } as never],
    })),
  ],
  [
    'I8',
    'an order was charged twice, though one charge was let go',
    where('books', (books) => ({
      ...books,
      payment_intents: [...books.payment_intents, { ...books.payment_intents[1], id: 'pi_off_twice' } as never],
      charges: [...books.charges, { ...books.charges[1], id: 'ch_twice', payment_intent: 'pi_off_twice' } as never],
    })),
  ],
  ['I8', 'a capture is booked twice', where('ledger', (ledger) => [...ledger, ...ledger])],
  [
    'I8',
    'the provider gave money back that nobody asked for',
    where('books', (books) => ({
      ...books,
      refunds: [{ id: 're_1', payment_intent: 'pi_sold', amount: 5, status: 'succeeded' }],
    })),
  ],
  ['I9', 'a sold order is not paid', where('payments', (payments) => payments.slice(1))],
  ['I10', 'a cancelled order keeps money', order('sold', { state: 'CANCELLED' })],
  [
    'I11',
    'an order goes back in its states',
    where('operations', (all) => [
      ...all,
      { ...(all[0] as World['operations'][number]), state: 'PENDING', began: 5, ended: 6 },
    ]),
  ],
  ['I11', 'an event tells of a version that never was', order('sold', { version: 1 })],
  ['I12', 'an event never reached the stream', orderEvents((one) => ({ ...one, stream: one.stream.slice(1) }))],
  ['I12', 'an event was never written', orderEvents((one) => ({ ...one, outbox: one.outbox.slice(1) }))],
  [
    'I12',
    'events are out of order',
    orderEvents((one) => ({ ...one, stream: one.stream.map((event) => ({ ...event, seq: 100 - event.seq })) })),
  ],
  [
    'I13',
    'an event was handled twice',
    where('consumers', (all) => all.map((one) => ({ ...one, handled: [...one.handled, ...one.handled] }))),
  ],
  ['I13', 'an event was not handled', where('consumers', (all) => all.map((one) => ({ ...one, handled: [] })))],
  ['I15', 'a total is wrong', order('sold', { total_amount: 2_099 })],
  [
    'I16',
    'a price is not the one that was shown',
    order('sold', { lines: [{ sku: 'SCARCE-0', quantity: 2, price: '1' }] }),
  ],
  ['I17', 'a mail is there twice', where('mails', (mails) => [...mails, 'T4-ORDER_CONFIRMED-N-sold.eml'])],
  ['I17', 'a mail is missing', where('notifications', (all) => all.slice(1))],
  ['I18', 'the catalogue shows what is not there', where('shown', () => new Map([['SCARCE-0', 9]]))],
  [
    'I22',
    'the reconciliation found something',
    where('checkRuns', (runs) => runs.map((run) => ({ ...run, differences: ['order sold: its hold is gone'] }))),
  ],
  ['-', 'an error was not foreseen', where('operations', (all) => all.map((one) => ({ ...one, status: 500 })))],
  ['-', 'a process fell over', where('crashes', () => ['orders-1 ended by itself (exit code 1)'])],
  ['-', 'one replica does it all', where('sharings', (all) => all.map((one) => ({ ...one, shared: 3 })))],
  ['I20', 'an event was given up', where('deadLetters', () => ['souk.orders.v1.OrderConfirmed 1'])],
])('notices by %s that %s', (id, _, world) => {
  expect(broken(world)).toContain(id);
});
