/**
 * The leases store of one payment in memory, with the same guarantees; it checks with each write what must hold of a
 * payment at any time. Its process can be made to die before or after a write.
 */
import { entryOf } from '../src/domain/ledger.js';
import type { Payment, PaymentEvent } from '../src/domain/payment.js';
import { mayBecome } from '../src/domain/payment-state.js';
import type { Step } from '../src/domain/wishes.js';
import { LeaseLost, type Attempt, type Result } from '../src/leases.store.js';
import type { LeasedPayment } from '../src/payments.rows.js';
import type { LeasesPort } from '../src/settle-payment.js';

/** The process that worked on the payment is no more. */
export class Died extends Error {}

export class MemoryLeases implements LeasesPort {
  readonly events: PaymentEvent[] = [];
  /** In how many writes the process dies, and whether the write was made. */
  dies: { in: number; written: boolean } | undefined;
  private readonly booked = new Set<string>();
  private readonly attempts = new Map<string, { attempt: number; spent: boolean; at: number }>();
  private wishes = 0;
  private epoch = 0;

  constructor(
    public payment: Payment,
    private readonly clock: () => number,
  ) {}

  /** Takes the lease over, whoever had it. */
  take(): LeasedPayment {
    this.epoch += 1;
    return this.present();
  }

  /** A wish that needs no lease. */
  wish(change: (payment: Payment) => Payment): void {
    this.payment = change(this.payment);
    this.wishes += 1;
    check(this.payment);
  }

  async begin(lease: LeasedPayment, step: Step): Promise<Attempt | undefined> {
    if (lease.epoch !== this.epoch || lease.wishes !== this.wishes) return undefined;
    return this.write(() => {
      if (step.kind === 'capture' && !lease.payment.captures.includes(step.capture)) {
        this.payment = { ...this.payment, captures: [...this.payment.captures, step.capture] };
      }
      if (step.kind === 'refund' && !lease.payment.refunds.includes(step.refund)) {
        this.payment = { ...this.payment, refunds: [...this.payment.refunds, step.refund] };
      }
      check(this.payment);
      return this.attempt(operationOf(step));
    });
  }

  async beginSendingBack(_lease: LeasedPayment, operation: string): Promise<Attempt> {
    return this.attempt(operation);
  }

  async save(lease: LeasedPayment, { change, call }: Result): Promise<LeasedPayment | undefined> {
    if (lease.epoch !== this.epoch || lease.wishes !== this.wishes) return undefined;
    return this.write(() => {
      this.checkChange(change.payment, change.events);
      this.payment = change.payment;
      this.events.push(...change.events);
      const last = call && this.attempts.get(call.attempt.operation);
      if (last && (call.outcome === 'spent' || call.outcome === 'refused')) last.spent = true;
      return this.present();
    });
  }

  async renew(lease: LeasedPayment): Promise<LeasedPayment> {
    if (lease.epoch !== this.epoch) throw new LeaseLost(lease.payment.paymentId);
    return this.present();
  }

  private present(): LeasedPayment {
    return {
      payment: this.payment,
      epoch: this.epoch,
      wishes: this.wishes,
      tries: 0,
      token: 'pm',
      email: '',
      countedFor: '',
    };
  }

  private write<T>(work: () => T): T {
    const dies = this.dies && --this.dies.in < 0 ? this.dies : undefined;
    if (!dies) return work();
    this.dies = undefined;
    if (dies.written) work();
    throw new Died();
  }

  private attempt(operation: string): Attempt {
    const last = this.attempts.get(operation);
    const isSame = last && !last.spent;
    const now = isSame ? last : { attempt: (last?.attempt ?? 0) + 1, spent: false, at: this.clock() };
    this.attempts.set(operation, now);
    return { operation, attempt: now.attempt, ageMs: this.clock() - now.at };
  }

  private checkChange(after: Payment, events: readonly PaymentEvent[]): void {
    check(after);
    const states = [this.payment, ...events.map(({ payment }) => payment)].map(({ state }) => state);
    states.slice(1).forEach((to, index) => {
      const from = states[index]!;
      if (from !== to && !mayBecome(from, to)) throw new Error(`${from} became ${to}.`);
    });
    const versions = [this.payment.version, ...events.map(({ payment }) => payment.version)];
    versions.slice(1).forEach((version, index) => {
      if (version <= versions[index]!) throw new Error('The version did not grow.');
    });
    for (const { cause } of events.map(entryOf).filter((entry) => entry !== undefined)) {
      if (this.booked.has(cause)) throw new Error(`${cause} was booked twice.`);
      this.booked.add(cause);
    }
  }
}

/** What must hold of a payment at any time. */
function check(payment: Payment): void {
  const { amount, capturedAmount, refundedAmount, captures, refunds } = payment;
  const done = (moves: readonly { state: string; amount: bigint }[]) =>
    moves.reduce((sum, move) => (move.state === 'SUCCEEDED' ? sum + move.amount : sum), 0n);
  const rules = {
    'captured is not more than authorised': capturedAmount >= 0n && capturedAmount <= amount.amount,
    'refunded is not more than captured': refundedAmount >= 0n && refundedAmount <= capturedAmount,
    'captured is the sum of the captures': capturedAmount === done(captures),
    'refunded is the sum of the refunds': refundedAmount === done(refunds),
    'a sequence is used once': new Set(captures.map(({ sequence }) => sequence)).size === captures.length,
    'a refund is made once': new Set(refunds.map(({ refundId }) => refundId)).size === refunds.length,
  };
  const broken = Object.entries(rules).find(([, holds]) => !holds);
  if (broken) throw new Error(`Not true any more: ${broken[0]}.`);
}

function operationOf(step: Step): string {
  if (step.kind === 'capture') return `capture-${step.capture.sequence}`;
  return step.kind === 'refund' ? `refund-${step.refund.refundId}` : step.kind;
}

/** What was asked for and not refused is not more than there is. */
export function isWithin(most: bigint, moves: readonly { state: string; amount: bigint }[]): boolean {
  return moves.reduce((sum, { state, amount }) => (state === 'FAILED' ? sum : sum + amount), 0n) <= most;
}
