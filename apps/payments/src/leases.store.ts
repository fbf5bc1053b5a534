/**
 * Who works on which payment, and what he changes. Guarantees: a payment's state and amounts are changed only under a
 * lease, whose epoch each write names, so that a process that lost its lease writes nothing; a write knows of every wish
 * that was committed before it; a change, its captures and refunds, what the ledger says of them and its events are
 * committed together; a call to a provider is on record before it is made. Does not call providers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { appendToOutbox, type OutboxRelay } from '@souk/outbox';
import type { Database, Queryable, Transaction } from '@souk/postgres';
import { takeBack, type CardTries } from './card-tries.js';
import { ATTEMPTS_EXCEEDED, type CardTry } from './domain/card-limits.js';
import { declinePayment, type Change, type Payment } from './domain/payment.js';
import type { Step } from './domain/wishes.js';
import { book, putCaptures, putRefunds } from './movements.rows.js';
import { toOutboxEvent } from './payments.events.js';
import { toLeased, toPayment, type LeasedPayment, type PaymentRow } from './payments.rows.js';
import * as statements from './payments.statements.js';

/** Longer than a call to a provider and what follows it; renewed with each call. */
const LEASE_MS = 20_000;
const LEASE_WAIT_MS = 1_500;
const LEASE_POLL_MS = 50;

/** The lease went to somebody else, who now sees to the payment. */
export class LeaseLost extends Error {
  constructor(paymentId: string) {
    super(`The lease of payment ${paymentId} was lost.`);
  }
}

/** A call that is on record. */
export interface Attempt {
  readonly operation: string;
  readonly attempt: number;
  /** Since the key was first used. */
  readonly ageMs: number;
}

/** How a call ended, and whether this was the last of it for now. */
export interface Result {
  readonly change: Change;
  readonly call?: { readonly attempt: Attempt; readonly outcome: string; readonly detail: string };
  /** Ends the lease, with the next try after so long, or with none. */
  readonly release?: { readonly retryAfterMs: number | undefined };
}

export class LeasesStore {
  /** @param captureWithinMs how long an authorised card payment waits for its capture */
  constructor(
    private readonly database: Database,
    private readonly relay: OutboxRelay,
    private readonly captureWithinMs: number,
    private readonly cardTries: CardTries,
  ) {}

  /**
   * Opens the payment, and counts its try.
   * @returns it under a lease, or declined where too many cards were; undefined where the order has a payment
   */
  async open(payment: Payment, card: CardTry & { readonly email: string }): Promise<LeasedPayment | undefined> {
    const { paymentId, orderId, method, amount, createTime } = payment;
    const opened = await this.database.transaction(async (tx) => {
      const [row] = await tx.query<PaymentRow>(statements.OPEN, [
        ...[paymentId, orderId, method, amount.amount, amount.currency, card.token, card.email],
        ...[createTime, LEASE_MS],
      ]);
      if (!row) return undefined;
      const { countedFor, retryTime } = await this.cardTries.count(tx, paymentId, card);
      const lease = { ...toLeased(row), countedFor };
      if (!retryTime) return lease;
      const change = declinePayment({ ...lease.payment, retryTime }, '', ATTEMPTS_EXCEEDED, createTime);
      return this.write(tx, lease, { change, release: { retryAfterMs: undefined } });
    });
    if (opened?.payment.state === 'DECLINED') this.relay.wake();
    return opened;
  }

  /** @returns the payment under a lease, or undefined where another process keeps it for longer than a moment */
  async take(orderId: string, waitMs = LEASE_WAIT_MS): Promise<LeasedPayment | undefined> {
    for (const until = Date.now() + waitMs; ;) {
      const [lease] = await this.load(await this.database.query(statements.TAKE_LEASE, [orderId, LEASE_MS]));
      if (lease) return lease;
      if (Date.now() >= until) return undefined;
      await sleep(LEASE_POLL_MS);
    }
  }

  /** By the provider's identifier, or by ours, which the provider knows before we know its own. */
  async takeByIntent(reference: string, paymentId: string | null): Promise<LeasedPayment | 'busy' | 'unknown'> {
    const intent = [reference, paymentId];
    const rows = await this.database.query<PaymentRow>(statements.TAKE_LEASE_BY_INTENT, [...intent, LEASE_MS]);
    const [lease] = await this.load(rows);
    if (lease) return lease;
    const known = await this.database.query(statements.KNOWS_INTENT, intent);
    return known.length > 0 ? 'busy' : 'unknown';
  }

  /** Leases of payments whose next step is due. */
  async claimDue(limit: number): Promise<LeasedPayment[]> {
    return this.load(await this.database.query<PaymentRow>(statements.CLAIM_DUE, [limit, LEASE_MS]));
  }

  /**
   * The same lease with what was wished meanwhile.
   * @throws LeaseLost
   */
  async renew({ payment: { paymentId }, epoch }: LeasedPayment): Promise<LeasedPayment> {
    const [row] = await this.database.query<PaymentRow>(statements.LOAD, [[paymentId]]);
    if (row?.epoch !== epoch) throw new LeaseLost(paymentId);
    return toLeased(row);
  }

  /**
   * Puts a call on record and renews the lease; asked again for the same operation it gives the same attempt, until that
   * one is spent. A capture or a refund that was not on record is put there with it.
   * @returns undefined where a wish came that the step does not know of, or the lease was lost
   */
  begin({ payment, epoch, wishes }: LeasedPayment, step: Step): Promise<Attempt | undefined> {
    const put = recordOf(payment, step);
    const begin = (on: Queryable) => beginAttempt(on, payment.paymentId, epoch, operationOf(step), wishes);
    if (!put) return begin(this.database);
    return this.database.transaction(async (tx) => {
      const attempt = await begin(tx);
      if (attempt) await put(tx);
      return attempt;
    });
  }

  /** @returns the attempt to send stray money back; undefined where the lease was lost */
  beginSendingBack({ payment, epoch }: LeasedPayment, operation: string): Promise<Attempt | undefined> {
    return beginAttempt(this.database, payment.paymentId, epoch, operation, null);
  }

  /**
   * Writes what a call has changed, its outcome and the events.
   * @returns the payment after it, and undefined where a wish came that the change does not know of, or the lease was lost
   */
  async save(lease: LeasedPayment, result: Result): Promise<LeasedPayment | undefined> {
    const saved = await this.database.transaction((tx) => this.write(tx, lease, result));
    if (saved && result.change.events.length > 0) this.relay.wake();
    return saved;
  }

  private async write(tx: Transaction, lease: LeasedPayment, result: Result): Promise<LeasedPayment | undefined> {
    const { payment, events } = result.change;
    const [row] = await tx.query<PaymentRow>(statements.SAVE, this.saveValues(lease, result));
    if (!row) return undefined;
    if (result.call) await finishAttempt(tx, lease, result.call);
    if (payment.state !== 'PROCESSING' && payment.state !== 'DECLINED') await takeBack(tx, lease.countedFor);
    await putCaptures(tx, payment.paymentId, beyond(lease.payment.captures, payment.captures));
    await putRefunds(tx, payment.paymentId, beyond(lease.payment.refunds, payment.refunds));
    await book(tx, payment.paymentId, events);
    await appendToOutbox(tx, events.map(toOutboxEvent));
    return { ...toLeased(row), payment: { ...toPayment(row), captures: payment.captures, refunds: payment.refunds } };
  }

  private saveValues({ payment: before, epoch, wishes, tries }: LeasedPayment, { change, release }: Result): unknown[] {
    const { payment } = change;
    const retryAfterMs = release?.retryAfterMs;
    const isStuck = retryAfterMs !== undefined && payment.state === before.state;
    return [
      ...[payment.paymentId, epoch, wishes],
      ...[payment.state, payment.capturedAmount, payment.refundedAmount, payment.disputedAmount],
      ...[payment.providerReference, payment.declineCode, payment.version, payment.updateTime],
      ...[isStuck ? tries + 1 : 0, release !== undefined, retryAfterMs ?? null, this.captureWithinMs],
    ];
  }

  /** With captures and refunds, which a payment has only once it is authorised. */
  private async load(rows: readonly PaymentRow[]): Promise<LeasedPayment[]> {
    const later = rows.filter(({ state }) => state !== 'PROCESSING');
    if (later.length === 0) return rows.map(toLeased);
    const ids = later.map((row) => row.payment_id);
    const loaded = await this.database.query<PaymentRow>(statements.LOAD, [ids]);
    const byId = new Map(loaded.map((row) => [row.payment_id, row]));
    return rows.map((row) => ({ ...toLeased(byId.get(row.payment_id) ?? row), epoch: row.epoch }));
  }
}

/** The key by which the provider knows the call: the same one, however often it is made. */
export function keyOf({ paymentId }: Payment, { operation, attempt }: Attempt): string {
  return `${paymentId}:${operation}:${attempt}`;
}

function operationOf(step: Step): string {
  if (step.kind === 'capture') return `capture-${step.capture.sequence}`;
  if (step.kind === 'refund') return `refund-${step.refund.refundId}`;
  return step.kind;
}

/** Puts the capture or the refund of a step on record; undefined where it is, or there is none. */
function recordOf(
  { paymentId, captures, refunds }: Payment,
  step: Step,
): ((tx: Transaction) => Promise<void>) | undefined {
  if (step.kind === 'capture' && !captures.includes(step.capture)) {
    return (tx) => putCaptures(tx, paymentId, [step.capture]);
  }
  if (step.kind === 'refund' && !refunds.includes(step.refund)) {
    return (tx) => putRefunds(tx, paymentId, [step.refund]);
  }
  return undefined;
}

async function beginAttempt(
  on: Queryable,
  paymentId: string,
  epoch: number,
  operation: string,
  wishes: number | null,
): Promise<Attempt | undefined> {
  const values = [paymentId, epoch, LEASE_MS, operation, wishes];
  const [row] = await on.query<{ attempt: number; age_ms: number }>(statements.BEGIN_ATTEMPT, values);
  return row && { operation, attempt: row.attempt, ageMs: row.age_ms };
}

async function finishAttempt(tx: Transaction, lease: LeasedPayment, call: NonNullable<Result['call']>): Promise<void> {
  const { operation, attempt } = call.attempt;
  await tx.query(statements.FINISH_ATTEMPT, [
    ...[lease.payment.paymentId, operation, attempt, call.outcome.toUpperCase(), call.detail],
  ]);
}

/** What is new or another than before. */
function beyond<T>(before: readonly T[], after: readonly T[]): T[] {
  return after.filter((item) => !before.includes(item));
}
