/**
 * Brings one payment to what is wanted of it, step by step, under its lease. Each call to the provider is on record
 * before it is made and its outcome after; none is made inside of a transaction. A step whose outcome is not known is
 * taken again later with the same key. A key that the provider will never answer any more is replaced only after the
 * provider was asked for the payment itself.
 */
import { uuidv7 } from '@souk/postgres';
import { metrics, type Logger } from '@souk/telemetry';
import { followProvider, strayMoney, type ProviderView } from './domain/follow-provider.js';
import {
  failCapture,
  failRefund,
  inTurn,
  unchanged,
  voidPayment,
  withRefund,
  type Change,
  type Payment,
} from './domain/payment.js';
import { isUnderWay, isUnsettled, nextStep, type Step } from './domain/wishes.js';
import { keyOf, LeaseLost, type Attempt, type LeasesStore, type Result } from './leases.store.js';
import type { Found, PaymentProvider, ProviderAnswer, ProviderCall, Refused } from './payment-provider.js';
import type { LeasedPayment } from './payments.rows.js';
import type { Providers } from './providers.js';

/** Providers keep keys for a day; an older key might be taken for a new one. */
const KEY_LIVES_MS = 23 * 60 * 60 * 1000;
/** A search finds what is new only after a while; "absent" counts from then on. */
const SEARCH_LAG_MS = 5 * 60 * 1000;
const MOST_STEPS = 16;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60 * 1000;
/** What was refused is hardly allowed a second later. */
const FIRST_RETRY_OF_REFUSED_MS = 60 * 1000;
const LONGEST_RETRY_OF_REFUSED_MS = 6 * 60 * 60 * 1000;

const disputes = metrics.counter('payments_disputes_total');

/** The state of a payment, and the key is of no more use. */
type Reply = (Found | Refused) & { readonly keySpent?: boolean };

/** A step, what came of it, and how often it had failed before. */
interface Taken {
  readonly step: Step;
  readonly reply: Reply;
  readonly tries: number;
}

/** What settling needs of the leases. */
export type LeasesPort = Pick<LeasesStore, 'begin' | 'beginSendingBack' | 'save' | 'renew'>;

interface Saved {
  readonly lease: LeasedPayment;
  readonly released: boolean;
}

export class SettlePayment {
  constructor(
    private readonly leases: LeasesPort,
    private readonly providers: Providers,
    private readonly now: () => Date,
    private readonly logger: Logger,
  ) {}

  /** @returns the payment as far as it got: where a step is left, the provider has not answered */
  async execute(lease: LeasedPayment): Promise<Payment> {
    let current = lease;
    try {
      for (let steps = 0; ; steps++) {
        const step = this.nextStep(current.payment);
        const isLast = step !== undefined && steps === MOST_STEPS;
        const saved =
          step && !isLast ? await this.take(current, step) : await this.release(current, isLast ? 0 : undefined);
        current = saved.lease;
        if (saved.released) break;
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
    const saved = await this.save(lease, (payment) => {
      const change = followProvider(payment, view, this.now());
      return { change, call, release: isUnsettled(change.payment) ? undefined : { retryAfterMs: undefined } };
    });
    this.tellOfDispute(lease.payment, saved.lease.payment);
    return saved.released ? saved.lease.payment : this.execute(saved.lease);
  }

  /** Ends a lease under which nothing was done; where something is left to do, it is tried again soon. */
  async putBack(lease: LeasedPayment): Promise<void> {
    const { lease: next, released } = await this.release(
      lease,
      isUnsettled(lease.payment) ? FIRST_RETRY_MS : undefined,
    );
    if (!released) await this.execute(next);
  }

  /**
   * Ends a lease, unless a wish came meanwhile.
   * @throws LeaseLost
   */
  private async release(lease: LeasedPayment, retryAfterMs?: number): Promise<Saved> {
    const saved = await this.leases.save(lease, { change: unchanged(lease.payment), release: { retryAfterMs } });
    return saved ? { lease: saved, released: true } : { lease: await this.leases.renew(lease), released: false };
  }

  private async take(lease: LeasedPayment, step: Step): Promise<Saved> {
    const attempt = await this.leases.begin(lease, step);
    if (!attempt) return { lease: await this.leases.renew(lease), released: false };
    const asked = { ...lease, payment: withStep(lease.payment, step) };
    const reply = await this.ask(step, callOf(asked, attempt), attempt);
    const call = { attempt, outcome: reply.keySpent ? 'spent' : reply.outcome, detail: detailOf(reply) };
    return this.save(asked, (payment) => {
      const change = this.changeBy(payment, step, reply);
      return { change, call, release: this.releaseAfter(change.payment, payment, { step, reply, tries: lease.tries }) };
    });
  }

  private async ask(step: Step, call: ProviderCall, attempt: Attempt): Promise<Reply> {
    const provider = this.provider(call.payment);
    const isTooOld = attempt.ageMs > KEY_LIVES_MS;
    const answer = isTooOld ? undefined : await callFor(step, provider, call);
    if (answer && !(answer.outcome === 'unknown' && answer.keySpent)) return { ...answer, keySpent: false };
    const found = await provider.find(call.payment);
    const says = found.outcome === 'absent' ? attempt.ageMs > SEARCH_LAG_MS : found.outcome !== 'unknown';
    return { ...found, keySpent: says };
  }

  private changeBy(payment: Payment, step: Step, reply: Reply): Change {
    const now = this.now();
    switch (reply.outcome) {
      case 'unknown':
        return unchanged(payment);
      case 'absent': {
        const neverWas = reply.keySpent && payment.state === 'PROCESSING' && payment.cancelRequested;
        return neverWas ? voidPayment(payment, now) : unchanged(payment);
      }
      case 'refused':
        return inTurn(
          payment,
          (p) => followProvider(p, reply.view, now),
          (p) => refuse(p, step, now),
        );
      default:
        return followProvider(payment, reply, now);
    }
  }

  /** Writes a change; where a wish came meanwhile, the change is made anew of the payment with that wish. */
  private async save(lease: LeasedPayment, resultOf: (payment: Payment) => Result): Promise<Saved> {
    for (let current = lease; ; current = await this.leases.renew(current)) {
      const result = resultOf(current.payment);
      const saved = await this.leases.save(current, result);
      if (saved) return { lease: saved, released: result.release !== undefined };
    }
  }

  private async sendBack(lease: LeasedPayment, how: 'void' | 'refund', reference: string) {
    const { paymentId, orderId } = lease.payment;
    this.logger.error({ paymentId, orderId, reference, how }, 'the provider holds money that no payment accounts for');
    const attempt = await this.leases.beginSendingBack(lease, `${how}:${reference}`);
    if (!attempt) throw new LeaseLost(paymentId);
    const answer = await this.provider(lease.payment).sendBack(reference, how, keyOf(lease.payment, attempt));
    if (answer !== 'done') throw new Error(`Money of ${reference} could not be sent back: ${answer.detail}`);
    return { attempt, outcome: answer, detail: '' };
  }

  /** People see to it: the provider asks for evidence within days. */
  private tellOfDispute(before: Payment, { paymentId, orderId, disputedAmount, amount }: Payment): void {
    if (disputedAmount <= before.disputedAmount) return;
    disputes.inc();
    const { currency } = amount;
    this.logger.warn({ paymentId, orderId, disputedAmount, currency }, "the customer's bank took money back");
  }

  /** Ends the lease where nothing is left to do, or there is no use in going on at once. */
  private releaseAfter(payment: Payment, before: Payment, { step, reply, tries }: Taken): Result['release'] {
    const next = this.nextStep(payment);
    if (!next) return { retryAfterMs: undefined };
    if (reply.outcome === 'refused' && isSameAgain(next, step, payment)) {
      return { retryAfterMs: backOff(FIRST_RETRY_OF_REFUSED_MS, LONGEST_RETRY_OF_REFUSED_MS, tries) };
    }
    const isStuck = payment.version === before.version;
    return isStuck ? { retryAfterMs: backOff(FIRST_RETRY_MS, LONGEST_RETRY_MS, tries) } : undefined;
  }

  private nextStep(payment: Payment): Step | undefined {
    return nextStep(payment, { refundId: uuidv7(), now: this.now() });
  }

  private provider(payment: Payment): PaymentProvider {
    return this.providers.of(payment.method);
  }
}

function callFor(step: Step, provider: PaymentProvider, call: ProviderCall): Promise<ProviderAnswer> {
  switch (step.kind) {
    case 'authorize':
      return provider.authorize(call);
    case 'void':
      return provider.void(call);
    case 'release':
      return provider.release(call);
    case 'capture':
      return provider.capture(call, step.capture);
    case 'refund':
      return provider.refund(call, step.refund);
  }
}

function callOf({ payment, token, email }: LeasedPayment, attempt: Attempt): ProviderCall {
  return { payment, token, email, idempotencyKey: keyOf(payment, attempt) };
}

/** The payment with what the step asks for on record. */
function withStep(payment: Payment, step: Step): Payment {
  if (step.kind === 'refund') return withRefund(payment, step.refund);
  if (step.kind !== 'capture' || payment.captures.includes(step.capture)) return payment;
  return { ...payment, captures: [...payment.captures, step.capture] };
}

/** What was refused, and is not done after all, never will be. */
function refuse(payment: Payment, step: Step, now: Date): Change {
  if (step.kind === 'capture') {
    const capture = payment.captures.find(({ sequence }) => sequence === step.capture.sequence);
    return capture && isUnderWay(capture) ? failCapture(payment, capture, now) : unchanged(payment);
  }
  if (step.kind !== 'refund') return unchanged(payment);
  const refund = payment.refunds.find(({ refundId }) => refundId === step.refund.refundId);
  return refund && isUnderWay(refund) ? failRefund(payment, refund, now) : unchanged(payment);
}

/** Whether the next step asks for what was refused just now, and nobody has asked for by itself. */
function isSameAgain(next: Step, refused: Step, { captures, refunds }: Payment): boolean {
  if (next.kind === 'capture') return !captures.includes(next.capture);
  if (next.kind === 'refund') return !refunds.includes(next.refund);
  return next.kind === refused.kind;
}

function backOff(firstMs: number, longestMs: number, tries: number): number {
  return Math.min(firstMs * 2 ** tries, longestMs) * (0.75 + Math.random() / 2);
}

function detailOf(reply: Reply): string {
  return reply.outcome === 'unknown' || reply.outcome === 'refused' ? reply.detail : '';
}
