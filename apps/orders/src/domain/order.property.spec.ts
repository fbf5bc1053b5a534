import fc from 'fast-check';
import { ANY_TIME, newOrder } from '../../test/order-builder.js';
import {
  cancelOrder,
  cancelSettling,
  confirmOrder,
  finishUndo,
  fulfillOrder,
  losePayment,
  placeOrder,
  refundOrder,
  rejectOrder,
  undoAgain,
  type Change,
  type Order,
  type OrderEvent,
} from './order.js';
import { mayBecome } from './order-state.js';
import { paymentDeclined, stockShort } from './rejections.js';

const TOTAL = placeOrder(newOrder(), ANY_TIME).order.total.amount;
const NOTHING_LEFT = { refundedAmount: TOTAL, everything: true };

/** Everything that can happen to an order, in the words of those who do it: its saga, people, and payments. */
const COMMANDS: Readonly<Record<string, (order: Order) => Change>> = {
  confirm: (order) => confirmOrder(order, [], ANY_TIME),
  rejectShort: (order) => rejectOrder(order, stockShort([{ sku: 'A', requested: 1, available: 0 }]), [], ANY_TIME),
  rejectDeclined: (order) => rejectOrder(order, paymentDeclined('expired_card'), [], ANY_TIME),
  cancelSettling: (order) => cancelSettling(order, [], ANY_TIME),
  finishUndo: (order) => finishUndo(order, [], ANY_TIME),
  undoAgain: (order) => undoAgain(order, ANY_TIME),
  cancel: (order) => cancelOrder(order, ANY_TIME),
  fulfil: (order) => fulfillOrder(order, 'DHL 42', ANY_TIME),
  losePayment: (order) => losePayment(order, ANY_TIME),
  refundAll: (order) => refundOrder(order, NOTHING_LEFT, ANY_TIME),
};

const refund = fc.bigInt({ min: 1n, max: TOTAL + 1n }).map((refundedAmount) => ({
  name: `refund ${refundedAmount}`,
  run: (order: Order) => refundOrder(order, { refundedAmount, everything: refundedAmount >= TOTAL }, ANY_TIME),
}));
const named = fc.constantFrom(...Object.entries(COMMANDS)).map(([name, run]) => ({ name, run }));
const command = fc.oneof({ weight: 4, arbitrary: named }, { weight: 1, arbitrary: refund });
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** One order and what was told of it. A command that is refused, or that can't be, leaves it as it was. */
class Life {
  order: Order;
  readonly events: OrderEvent[];
  readonly done: string[] = [];

  constructor() {
    const { order, events } = placeOrder(newOrder(), ANY_TIME);
    this.order = order;
    this.events = [...events];
  }

  run({ name, run }: Command): void {
    const before = this.order;
    const change = attempt(() => run(before));
    if (!change || change.order === before) {
      expect(change?.events ?? []).toEqual([]);
      return;
    }
    expectStep(before, change);
    this.order = change.order;
    this.events.push(...change.events);
    this.done.push(name);
  }
}

function attempt(work: () => Change): Change | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return undefined;
  }
}

/** What holds for every change, whatever made it (I7, I11). */
function expectStep(before: Order, { order, events }: Change): void {
  expect(order.version).toBe(before.version + 1);
  expect(order.state === before.state || mayBecome(before.state, order.state)).toBe(true);
  expect(order.timeline.slice(0, before.timeline.length)).toEqual(before.timeline);
  expect(order).toMatchObject({ orderId: before.orderId, number: before.number, total: before.total });
  expect(order.refundedAmount).toBeGreaterThanOrEqual(before.refundedAmount);
  expect(order.refundedAmount).toBeLessThanOrEqual(order.total.amount);
  for (const event of events) expect(event.order).toBe(order);
  if (order.state !== before.state) expect(events).toHaveLength(1);
}

/** What holds for every order at any time (I9, I10, I11). */
function expectSound({ order, events, done }: Life): void {
  expect(order.phase === 'CHECKOUT').toBe(order.state === 'PENDING');
  if (order.phase === 'UNDO') expect(['REJECTED', 'CANCELLED']).toContain(order.state);
  if (order.state === 'CANCELLED' && order.phase === 'DONE') expect(done).toContain('finishUndo');
  if (order.state === 'REFUNDED') expect(order.refundedAmount).toBeGreaterThan(0n);
  if (order.state !== 'PENDING') expect(order.payment.token).toBe('');
  const times = (name: string) => done.filter((each) => each === name).length;
  expect(times('finishUndo')).toBeLessThanOrEqual(1 + times('undoAgain'));
  const told = events.map(({ kind }) => kind).filter((kind) => kind !== 'OrderRefunded');
  expect(new Set(told).size).toBe(told.length);
  const ends = told.filter(
    (kind) => kind === 'OrderRejected' || kind === 'OrderCancelled' || kind === 'OrderFulfilled',
  );
  expect(ends.length).toBeLessThanOrEqual(1);
  const endsWell = told.indexOf('OrderConfirmed') <= told.indexOf('OrderFulfilled');
  expect(told.includes('OrderFulfilled') ? endsWell : true).toBe(true);
}

describe('any sequence of commands', () => {
  it('moves the state along the table, one version at a time, and never back from an end (I10, I11)', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const life = new Life();
        for (const each of commands) {
          life.run(each);
          expectSound(life);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('ends the same when each command comes twice', () => {
    // The saga's own changes are kept from happening twice by its epoch and the order's version, not by the order.
    const SAGA = ['confirm', 'rejectShort', 'rejectDeclined', 'cancelSettling', 'finishUndo'];
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
        const [once, twice] = [new Life(), new Life()];
        for (const each of commands) {
          once.run(each);
          twice.run(each);
          if (!SAGA.includes(each.name)) twice.run(each);
        }
        expect(twice.order).toEqual(once.order);
        expect(twice.events).toEqual(once.events);
      }),
      { numRuns: 200 },
    );
  });

  it('ends the same whatever the order in which news of refunds arrive (F58)', () => {
    const amounts = fc.uniqueArray(fc.bigInt({ min: 1n, max: TOTAL - 1n }), { minLength: 1, maxLength: 6 });
    const scene = fc.constantFrom(['confirm', 'fulfil'], ['confirm'], ['confirm', 'cancel'], []);
    const shuffled = amounts.chain((sorted) =>
      fc.tuple(fc.constant(sorted), fc.shuffledSubarray(sorted, { minLength: sorted.length })),
    );
    fc.assert(
      fc.property(scene, shuffled, fc.boolean(), (before, [one, other], everything) => {
        const play = (refunds: readonly bigint[]) => {
          const life = new Life();
          for (const name of before) life.run({ name, run: COMMANDS[name]! });
          for (const refundedAmount of refunds) {
            const isAll = everything && refundedAmount === one.reduce((a, b) => (a > b ? a : b));
            const run = (order: Order) => refundOrder(order, { refundedAmount, everything: isAll }, ANY_TIME);
            life.run({ name: 'refund', run });
          }
          const { state, phase, refundedAmount, cancelRequested } = life.order;
          return { state, phase, refundedAmount, cancelRequested };
        };
        expect(play(other)).toEqual(play(one));
      }),
      { numRuns: 200 },
    );
  });
});
