/**
 * Kills the process at each of its awaits, before and after the call took effect, lets another process take the saga over,
 * and looks at what stock, payments and the order say at the end.
 */
import { Payment } from '@souk/proto/payments/v1';
import { ANY_TIME, confirmedOrder, pendingOrder } from '../test/order-builder.js';
import { CheckoutSaga } from './checkout-saga.js';
import { cancelOrder, type Change, type Order, type OrderEvent } from './domain/order.js';

class Killed extends Error {}

interface Shop {
  readonly inStock: boolean;
  readonly goodCard: boolean;
}

/** Stock, payments and orders with the rules of the real ones, in memory; a process dies at its n-th step into them. */
class World {
  hold: 'STATE_HELD' | 'STATE_REFUSED' | 'STATE_RELEASED' | undefined = undefined;
  payment: 'STATE_AUTHORIZED' | 'STATE_DECLINED' | 'STATE_VOIDED' | undefined = undefined;
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
    this.payment = 'STATE_AUTHORIZED';
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
          this.payment ??= this.shop.goodCard ? 'STATE_AUTHORIZED' : 'STATE_DECLINED';
          return answer();
        }),
      cancelPayment: () =>
        this.step(() => {
          if (this.payment !== 'STATE_DECLINED') this.payment = 'STATE_VOIDED';
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

const ends = [
  ['confirmed', pendingOrder(), { inStock: true, goodCard: true }, 'CONFIRMED', 'STATE_HELD', 'STATE_AUTHORIZED'],
  ['short of stock', pendingOrder(), { inStock: false, goodCard: true }, 'REJECTED', 'STATE_REFUSED', undefined],
  ['declined', pendingOrder(), { inStock: true, goodCard: false }, 'REJECTED', 'STATE_RELEASED', 'STATE_DECLINED'],
  [
    'called off before it began',
    cancelOrder(pendingOrder(), ANY_TIME).order,
    { inStock: true, goodCard: true },
    'CANCELLED',
    'STATE_RELEASED',
    'STATE_VOIDED',
  ],
  [
    'called off after it was confirmed',
    cancelOrder(confirmedOrder(), ANY_TIME).order,
    { inStock: true, goodCard: true },
    'CANCELLED',
    'STATE_RELEASED',
    'STATE_VOIDED',
  ],
] as const;

describe.each(ends)('an order that is %s', (_, order, shop, state, hold, payment) => {
  it('ends the same wherever its process is killed (F14, F15, F16, F17, F19, F22, F23)', async () => {
    for (let deathAt = 1, outcome = ''; outcome !== 'finished'; deathAt++) {
      const world = new World(order, shop);
      outcome = await world.process(deathAt);
      await world.process(Infinity);
      expect(world).toMatchObject({ hold, payment, stored: { state, phase: 'DONE' } });
      expect(world.charges).toBeLessThanOrEqual(1);
      expect(new Set(world.events).size).toBe(world.events.length);
    }
  });

  it('ends the same when each process after it is killed a little later', async () => {
    const world = new World(order, shop);
    for (let deathAt = 1; (await world.process(deathAt)) === 'died'; deathAt++);
    expect(world).toMatchObject({ hold, payment, stored: { state, phase: 'DONE' } });
    expect(world.charges).toBeLessThanOrEqual(1);
  });
});
