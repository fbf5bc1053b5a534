/**
 * Kills the process at each of its awaits, before and after the call took effect, lets another process take the saga over,
 * and looks at what stock, payments and the order say at the end.
 */
import { Payment, type Payment_State } from '@souk/proto/payments/v1';
import { ANY_TIME, confirmedOrder, pendingOrder } from '../test/order-builder.js';
import { CheckoutSaga } from './checkout-saga.js';
import { cancelOrder, type Change, type Order, type OrderEvent } from './domain/order.js';

class Killed extends Error {}

interface Shop {
  readonly inStock: boolean;
  readonly goodCard: boolean;
  /** Whether the provider takes the money at once, instead of setting it aside. */
  readonly capturesAtOnce?: boolean;
}

/** What becomes of a payment that is called off; others stay as they are. */
const GIVEN_BACK: Partial<Record<Payment_State, Payment_State>> = {
  STATE_AUTHORIZED: 'STATE_VOIDED',
  STATE_CAPTURED: 'STATE_REFUNDED',
};

/** Stock, payments and orders with the rules of the real ones, in memory; a process dies at its n-th step into them. */
class World {
  hold: 'STATE_HELD' | 'STATE_REFUSED' | 'STATE_RELEASED' | undefined = undefined;
  payment: Payment_State | undefined = undefined;
  epoch = 1;
  charges = 0;
  readonly events: OrderEvent['kind'][] = [];
  private steps = 0;
  private deathAt = Infinity;

  constructor(
    public stored: Order,
    private readonly shop: Shop,
  ) {
    if (stored.state === 'PENDING') return;
    this.hold = 'STATE_HELD';
    this.payment = this.taken;
  }

  private get taken(): Payment_State {
    return this.shop.capturesAtOnce ? 'STATE_CAPTURED' : 'STATE_AUTHORIZED';
  }

  /** A process that takes the saga over. @param deathAt its step at which it dies; even ones take effect first */
  async process(deathAt: number): Promise<'died' | 'finished'> {
    this.steps = 0;
    this.deathAt = deathAt;
    this.epoch++;
    const saga = new CheckoutSaga(this.orders(), this.stock(), this.payments(), () => ANY_TIME);
    try {
      await saga.run({ order: this.stored, epoch: this.epoch, failures: 0, faults: 0 });
      return 'finished';
    } catch (error) {
      if (error instanceof Killed) return 'died';
      throw error;
    }
  }

  private async step<T>(effect: () => T): Promise<T> {
    if (++this.steps === this.deathAt) throw new Killed();
    const result = effect();
    if (++this.steps === this.deathAt) throw new Killed();
    return result;
  }

  private stock() {
    return {
      holdStock: () =>
        this.step(() => {
          this.hold ??= this.shop.inStock ? 'STATE_HELD' : 'STATE_REFUSED';
          const shortages = this.hold === 'STATE_REFUSED' ? [{ sku: 'LAMP-BRASS', requested: 1, available: 0 }] : [];
          return { state: this.hold, shortages };
        }),
      releaseStock: () =>
        this.step(() => {
          if (this.hold !== 'STATE_REFUSED') this.hold = 'STATE_RELEASED';
          return { state: this.hold };
        }),
    };
  }

  private payments() {
    const answer = () => ({ payment: Payment.fromPartial({ state: this.payment }) });
    return {
      authorizePayment: () =>
        this.step(() => {
          if (this.payment === undefined && this.shop.goodCard) this.charges++;
          this.payment ??= this.shop.goodCard ? this.taken : 'STATE_DECLINED';
          return answer();
        }),
      cancelPayment: () =>
        this.step(() => {
          this.payment = GIVEN_BACK[this.payment ?? 'STATE_AUTHORIZED'] ?? this.payment;
          return answer();
        }),
    };
  }

  private orders() {
    return {
      get: () => this.step(() => this.stored),
      saveStep: ({ order, events }: Change, epoch: number) =>
        this.step(() => {
          if (epoch !== this.epoch || order.version !== this.stored.version + 1) return false;
          this.stored = order;
          this.events.push(...events.map(({ kind }) => kind));
          return true;
        }),
    };
  }
}

const GOOD: Shop = { inStock: true, goodCard: true };
const AT_ONCE: Shop = { ...GOOD, capturesAtOnce: true };
const calledOff = {
  early: cancelOrder(pendingOrder(), ANY_TIME).order,
  late: cancelOrder(confirmedOrder(), ANY_TIME).order,
};

interface End {
  readonly order: Order;
  readonly shop: Shop;
  readonly state: Order['state'];
  readonly hold: World['hold'];
  readonly payment: World['payment'];
  readonly events: readonly OrderEvent['kind'][];
}

const held = { hold: 'STATE_HELD', state: 'CONFIRMED', events: ['OrderConfirmed'] } as const;
const released = { hold: 'STATE_RELEASED', state: 'CANCELLED' } as const;
const rejected = { state: 'REJECTED', events: ['OrderRejected'] } as const;
const ENDS: readonly (readonly [string, End])[] = [
  ['confirmed', { order: pendingOrder(), shop: GOOD, payment: 'STATE_AUTHORIZED', ...held }],
  ['confirmed and paid at once (F18)', { order: pendingOrder(), shop: AT_ONCE, payment: 'STATE_CAPTURED', ...held }],
  [
    'short of stock',
    {
      order: pendingOrder(),
      shop: { ...GOOD, inStock: false },
      hold: 'STATE_REFUSED',
      payment: undefined,
      ...rejected,
    },
  ],
  [
    'declined',
    {
      order: pendingOrder(),
      shop: { ...GOOD, goodCard: false },
      hold: 'STATE_RELEASED',
      payment: 'STATE_DECLINED',
      ...rejected,
    },
  ],
  [
    'called off before it began',
    { order: calledOff.early, shop: GOOD, payment: 'STATE_VOIDED', events: ['OrderCancelled'], ...released },
  ],
  [
    'called off after it was confirmed',
    { order: calledOff.late, shop: GOOD, payment: 'STATE_VOIDED', events: [], ...released },
  ],
  [
    'called off after it was paid (F18)',
    { order: calledOff.late, shop: AT_ONCE, payment: 'STATE_REFUNDED', events: [], ...released },
  ],
];

describe.each(ENDS)('an order that is %s', (_, { order, shop, state, ...end }) => {
  it('ends the same wherever its process is killed (F14, F15, F16, F17, F19, F22, F23, I10)', async () => {
    for (let deathAt = 1, outcome = ''; outcome !== 'finished'; deathAt++) {
      const world = new World(order, shop);
      outcome = await world.process(deathAt);
      await world.process(Infinity);
      expect(world).toMatchObject({ ...end, stored: { state, phase: 'DONE' } });
      expect(world.charges).toBeLessThanOrEqual(1);
    }
  });

  it('ends the same when each process after it is killed a little later', async () => {
    const world = new World(order, shop);
    for (let deathAt = 1; (await world.process(deathAt)) === 'died'; deathAt++);
    expect(world).toMatchObject({ ...end, stored: { state, phase: 'DONE' } });
    expect(world.charges).toBeLessThanOrEqual(1);
  });
});
