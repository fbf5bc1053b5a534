/**
 * Payments under random wishes, weather, deaths and acts at the provider's dashboard, in random order. Whatever happens on
 * the way, no rule is broken with any write, and once all is fair again the payment and the provider agree.
 */
import { randomUUID } from 'node:crypto';
import { isDomainError } from '@souk/errors';
import { createLogger } from '@souk/telemetry';
import fc from 'fast-check';
import { Died, isWithin, MemoryLeases } from '../test/memory-leases.js';
import { ModelProvider, refundedOf, viewOf, WEATHER, type Weather } from '../test/model-provider.js';
import { aPayment } from '../test/payment-builder.js';
import type { ProviderView } from './domain/follow-provider.js';
import type { Payment } from './domain/payment.js';
import { isUnderWay, isUnsettled, requestCapture, requestRefund } from './domain/wishes.js';
import { ManualProvider } from './providers/manual.js';
import { Providers } from './providers.js';
import { SettlePayment } from './settle-payment.js';

const logger = createLogger('test');

type Wish =
  | { wish: 'cancel' | 'capture all' | 'lapse' }
  | { wish: 'capture'; amount: bigint; moreToCome: boolean }
  | { wish: 'refund'; amount: bigint };
type Act =
  | Wish
  | { work: Weather[]; meanwhile?: Wish; dies?: { in: number; written: boolean } }
  | { notice: number }
  | { dashboard: 'capture' | 'refund' | 'end'; amount: bigint; final: boolean }
  | { pass: number };

const amount = fc.bigInt({ min: 0n, max: 1200n });
// More often fair than not: otherwise few payments would get as far as a refund.
const weather = fc.array(
  fc.oneof({ weight: 2, arbitrary: fc.constant('fair' as const) }, fc.constantFrom(...WEATHER)),
  { maxLength: 6 },
);
const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({ wish: fc.constantFrom('cancel' as const, 'capture all' as const, 'lapse' as const) }),
  { weight: 3, arbitrary: fc.record({ wish: fc.constant('capture' as const), amount, moreToCome: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ wish: fc.constant('refund' as const), amount }) },
);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: wish },
  {
    weight: 6,
    arbitrary: fc.record(
      { work: weather, meanwhile: wish, dies: fc.record({ in: fc.nat(4), written: fc.boolean() }) },
      { requiredKeys: ['work'] },
    ),
  },
  { weight: 2, arbitrary: fc.record({ notice: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      dashboard: fc.constantFrom('capture' as const, 'refund' as const, 'end' as const),
      amount,
      final: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ pass: fc.constantFrom(60_000, 3_600_000, 86_400_000) }) },
);

/** One payment, its provider, and what was ever seen of it. */
class World {
  readonly provider = new ModelProvider();
  readonly leases: MemoryLeases;
  private readonly settle: SettlePayment;
  private readonly views: ProviderView[] = [];
  private time = Date.parse('2030-01-01T00:00:00Z');

  constructor() {
    this.leases = new MemoryLeases(aPayment('order-1', 'payment-1'), () => this.time);
    const providers = new Providers(this.provider, new ManualProvider());
    this.settle = new SettlePayment(this.leases, providers, () => new Date(this.time), logger);
  }

  async do(act: Act): Promise<void> {
    if ('wish' in act) this.wish(act);
    else if ('work' in act) await this.work(act);
    else if ('notice' in act) await this.notice(act.notice);
    else if ('dashboard' in act) this.dashboard(act);
    else this.time += act.pass;
    if (this.provider.shown) this.views.push(viewOf(this.provider.shown));
  }

  /** All is fair, until nothing is left to do. */
  async heal(): Promise<void> {
    this.provider.weather = [];
    for (let round = 0; round < 20; round++) {
      this.time += 86_400_000;
      await this.alive(() => this.settle.execute(this.leases.take()));
      const { shown } = this.provider;
      if (shown) await this.alive(() => this.settle.follow(this.leases.take(), viewOf(shown)));
      if (!isUnsettled(this.leases.payment)) return;
    }
    throw new Error(`It never came to rest: ${this.leases.payment.state}.`);
  }

  private wish(what: Wish): void {
    const now = new Date(this.time);
    switch (what.wish) {
      case 'cancel':
        return this.leases.wish((payment) => ({ ...payment, cancelRequested: true }));
      case 'capture all':
        return this.leases.wish((payment) => ({ ...payment, captureRequested: true }));
      case 'lapse':
        return this.leases.wish((payment) => ({ ...payment, lapsed: payment.state === 'AUTHORIZED' }));
      case 'capture':
        return this.unlessRefused((payment) => {
          const capture = requestCapture(payment, what.amount, what.moreToCome, now);
          const captures = capture ? [...payment.captures, capture] : payment.captures;
          if (!isWithin(payment.amount.amount, captures)) throw new Error('More is to be captured than there is.');
          return { ...payment, captures };
        });
      case 'refund':
        return this.unlessRefused((payment) => {
          const refund = requestRefund(payment, what.amount, '', { refundId: randomUUID(), now });
          const refunds = [...payment.refunds, refund];
          if (!isWithin(payment.capturedAmount, refunds)) throw new Error('More is to be refunded than there is.');
          return { ...payment, refunds };
        });
    }
  }

  private unlessRefused(change: (payment: Payment) => Payment): void {
    try {
      this.leases.wish(change);
    } catch (error) {
      if (!isDomainError(error)) throw error;
    }
  }

  private async work({ work, meanwhile, dies }: Extract<Act, { work: Weather[] }>): Promise<void> {
    this.provider.weather = [...work];
    this.leases.dies = dies && { ...dies };
    this.provider.meanwhile = meanwhile && (() => this.once(meanwhile));
    await this.alive(() => this.settle.execute(this.leases.take()));
    this.provider.meanwhile = this.leases.dies = undefined;
    this.provider.weather = [];
  }

  private once(what: Wish): void {
    this.provider.meanwhile = undefined;
    this.wish(what);
  }

  /** Any view that was ever true, as late as it may come. */
  private async notice(index: number): Promise<void> {
    const view = this.views[index % Math.max(1, this.views.length)];
    if (view) await this.alive(() => this.settle.follow(this.leases.take(), view));
  }

  private dashboard({ dashboard, amount, final }: Extract<Act, { dashboard: string }>): void {
    const { shown } = this.provider;
    if (!shown) return;
    if (dashboard === 'capture' && amount > 0n) this.provider.take(shown, amount, final);
    if (dashboard === 'refund') this.provider.giveBack(shown, amount);
    if (dashboard === 'end') this.provider.letGo(shown);
  }

  private async alive(work: () => Promise<unknown>): Promise<void> {
    await work().catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
  }
}

it('never breaks a rule, and comes to agree with the provider (F16, F17, F18, F20, F40, F41, F42, F44, F46, F48, F49)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30, size: 'max' }), async (acts) => {
      const world = new World();
      for (const act of acts) await world.do(act);
      await world.heal();
      const { payment, events } = world.leases;
      const { intents, moves, shown } = world.provider;
      // One charge at most, and none only where the payment was called off before there was one.
      expect(intents.length).toBeLessThanOrEqual(1);
      expect([...moves.values()].every((times) => times === 1)).toBe(true);
      expect(payment.capturedAmount).toBe(shown?.captured ?? 0n);
      expect(payment.refundedAmount).toBe(shown ? refundedOf(shown) : 0n);
      expect(shown?.status === 'authorized').toBe(payment.state === 'AUTHORIZED');
      expect([...payment.captures, ...payment.refunds].filter(isUnderWay)).toEqual([]);
      if (payment.cancelRequested) expect(payment.capturedAmount).toBe(payment.refundedAmount);
      const told = (kind: string) => events.filter((event) => event.kind === kind);
      const sum = (amounts: (bigint | undefined)[]) =>
        amounts.reduce<bigint>((all, amount) => all + (amount ?? 0n), 0n);
      expect(sum(told('PaymentCaptured').map(({ capture }) => capture?.amount))).toBe(payment.capturedAmount);
      expect(sum(told('PaymentRefunded').map(({ refund }) => refund?.amount))).toBe(payment.refundedAmount);
    }),
    { numRuns: 40_000 },
  );
});
