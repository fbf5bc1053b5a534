/**
 * Brings one payment to what is wanted of it, step by step, under its lease. Each call to the provider is on record
 * before it is made and its outcome after; none is made inside of a transaction. A step whose outcome is not known is
 * taken again later with the same key. A key that the provider will never answer any more is replaced only after the
 * provider was asked for the payment itself.
 */
import type { Logger } from '@souk/telemetry';
import {
  followProvider,
  nextStep,
  strayMoney,
  voidPayment,
  type Change,
  type Payment,
  type ProviderView,
  type Step,
} from './domain/payment.js';
import type { Found, PaymentProvider, ProviderCall } from './payment-provider.js';
import type { LeasedPayment } from './payments.rows.js';
import { LeaseLost, type Attempt, type PaymentsStore } from './payments.store.js';
import type { Providers } from './providers.js';

/** Providers keep keys for a day; an older key might be taken for a new one. */
const KEY_LIVES_MS = 23 * 60 * 60 * 1000;
/** A search finds what is new only after a while; "absent" counts from then on. */
const SEARCH_LAG_MS = 5 * 60 * 1000;
const MOST_STEPS = 6;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60 * 1000;

/** The state of a payment, and the key is of no more use. */
type Reply = Found & { readonly keySpent?: boolean };

export class SettlePayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly providers: Providers,
    private readonly now: () => Date,
    private readonly logger: Logger,
  ) {}

  /** @returns the payment as far as it got: where a step is left, the provider has not answered */
  async execute(lease: LeasedPayment): Promise<Payment> {
    let current = lease;
    try {
      for (let steps = 0; steps < MOST_STEPS; steps++) {
        const step = nextStep(current.payment);
        const { lease: next, released } = step ? await this.take(current, step) : await this.release(current);
        current = next;
        if (released) break;
      }
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      this.logger.warn({ paymentId: lease.payment.paymentId }, error.message);
    }
    return current.payment;
  }

  /** Applies what the provider holds of an intent, as a notice told, and sends back money that nothing accounts for. */
  async follow(lease: LeasedPayment, view: ProviderView): Promise<Payment> {
    const stray = strayMoney(lease.payment, view);
    const call = stray && (await this.sendBack(lease, stray, view.reference));
    const change = followProvider(lease.payment, view, this.now());
    const release = nextStep(change.payment) ? undefined : { retryAfterMs: undefined };
    const { lease: next, released } = await this.store.save(lease, { change, call, release });
    return released ? next.payment : this.execute(next);
  }

  /**
   * Ends a lease, unless a wish came meanwhile.
   * @throws LeaseLost
   */
  async release(lease: LeasedPayment, retryAfterMs?: number): Promise<{ lease: LeasedPayment; released: boolean }> {
    const change: Change = { payment: lease.payment, events: [] };
    return this.store.save(lease, { change, release: { retryAfterMs } });
  }

  private async take(lease: LeasedPayment, step: Step) {
    const { payment } = lease;
    const attempt = await this.store.beginAttempt(lease, step);
    const reply = await this.ask(this.provider(payment), step, callOf(lease, attempt), attempt);
    const change = this.changeBy(payment, reply);
    const isStuck = change.payment.version === payment.version;
    const call = {
      attempt,
      outcome: reply.keySpent ? 'spent' : reply.outcome,
      detail: reply.outcome === 'unknown' ? reply.detail : '',
    };
    if (isStuck) return this.store.save(lease, { change, call, release: { retryAfterMs: retryDelay(lease.tries) } });
    const release = nextStep(change.payment) ? undefined : { retryAfterMs: undefined };
    return this.store.save(lease, { change, call, release });
  }

  private async ask(provider: PaymentProvider, step: Step, call: ProviderCall, attempt: Attempt): Promise<Reply> {
    const isTooOld = attempt.ageMs > KEY_LIVES_MS;
    const answer = isTooOld ? undefined : await provider[step](call);
    if (answer && !(answer.outcome === 'unknown' && answer.keySpent)) return { ...answer, keySpent: false };
    const found = await provider.find(call);
    const says = found.outcome === 'absent' ? attempt.ageMs > SEARCH_LAG_MS : found.outcome !== 'unknown';
    return { ...found, keySpent: says };
  }

  private changeBy(payment: Payment, reply: Reply): Change {
    if (reply.outcome === 'unknown') return { payment, events: [] };
    if (reply.outcome !== 'absent') return followProvider(payment, reply, this.now());
    const neverWas = reply.keySpent && payment.state === 'PROCESSING' && payment.cancelRequested;
    return neverWas ? voidPayment(payment, this.now()) : { payment, events: [] };
  }

  private async sendBack(lease: LeasedPayment, how: 'void' | 'refund', reference: string) {
    const { paymentId, orderId } = lease.payment;
    this.logger.error({ paymentId, orderId, reference, how }, 'the provider holds money that no payment accounts for');
    const attempt = await this.store.beginAttempt(lease, `${how}:${reference}`);
    const answer = await this.provider(lease.payment)[how]({ ...callOf(lease, attempt), reference });
    if (answer.outcome === 'unknown') throw new Error(`Money of ${reference} could not be sent back: ${answer.detail}`);
    return { attempt, outcome: answer.outcome, detail: '' };
  }

  private provider(payment: Payment): PaymentProvider {
    return this.providers.of(payment.method);
  }
}

function callOf({ payment, token, email }: LeasedPayment, { operation, attempt }: Attempt): ProviderCall {
  return {
    paymentId: payment.paymentId,
    orderId: payment.orderId,
    amount: payment.amount,
    reference: payment.providerReference,
    token,
    email,
    idempotencyKey: `${payment.paymentId}:${operation}:${attempt}`,
  };
}

function retryDelay(tries: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** tries, LONGEST_RETRY_MS) * (0.75 + Math.random() / 2);
}
