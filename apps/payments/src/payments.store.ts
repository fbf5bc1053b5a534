/**
 * Payments in Postgres. Guarantees: one payment per order; a payment's state is changed only under a lease, whose epoch
 * each write names, so that a process that lost its lease writes nothing; a change and its events are committed
 * together; a call to a provider is on record before it is made. Wishes (capture, cancel) need no lease: they are
 * noted beside the state, and whoever holds the lease sees them before it lets go. Does not call providers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { appendToOutbox, OutboxRelay } from '@souk/outbox';
import { Database, type Transaction } from '@souk/postgres';
import type { Change, Payment } from './domain/payment.js';
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

@Injectable()
export class PaymentsStore {
  constructor(
    private readonly database: Database,
    private readonly relay: OutboxRelay,
  ) {}

  async get(orderId: string): Promise<Payment | undefined> {
    const [row] = await this.database.query<PaymentRow>(statements.GET, [orderId]);
    return row && toPayment(row);
  }

  /** By the provider's identifiers. */
  async byReferences(references: readonly string[]): Promise<Map<string, Payment>> {
    const rows = await this.database.query<PaymentRow>(statements.GET_BY_REFERENCES, [references]);
    return new Map(rows.map((row) => [row.provider_reference, toPayment(row)]));
  }

  /** @returns the opened payment under a lease, or undefined where the order has one */
  async open(payment: Payment, card: { token: string; email: string }): Promise<LeasedPayment | undefined> {
    const { paymentId, orderId, method, amount, createTime } = payment;
    const [row] = await this.database.query<PaymentRow>(statements.OPEN, [
      ...[paymentId, orderId, method, amount.amount, amount.currency, card.token, card.email],
      ...[createTime, LEASE_MS],
    ]);
    return row && toLeased(row);
  }

  /**
   * Writes payments that need no provider, in one transaction.
   * @returns for each change the order's payment: the given one, or the one that was there before
   */
  async insertMany(changes: readonly Change[]): Promise<Payment[]> {
    const inOrder = changes.toSorted((a, b) => (a.payment.orderId < b.payment.orderId ? -1 : 1));
    const { made, others } = await this.database.transaction(async (tx) => {
      const made = await this.insert(tx, inOrder);
      const late = changes.filter(({ payment }) => !made.has(payment.paymentId)).map(({ payment }) => payment.orderId);
      const rows = late.length > 0 ? await tx.query<PaymentRow>(statements.GET_MANY, [late]) : [];
      return { made, others: new Map(rows.map((row) => [row.order_id, toPayment(row)])) };
    });
    if (made.size > 0) this.relay.wake();
    return changes.map(({ payment }) => (made.has(payment.paymentId) ? payment : existing(others, payment.orderId)));
  }

  /** @returns the payment under a lease, or undefined where another process keeps it for longer than a moment */
  async takeLease(orderId: string, waitMs = LEASE_WAIT_MS): Promise<LeasedPayment | undefined> {
    for (const until = Date.now() + waitMs; ;) {
      const [row] = await this.database.query<PaymentRow>(statements.TAKE_LEASE, [orderId, LEASE_MS]);
      if (row) return toLeased(row);
      if (Date.now() >= until) return undefined;
      await sleep(LEASE_POLL_MS);
    }
  }

  /** By the provider's identifier, or by ours, which the provider knows before we know its own. */
  async takeLeaseByIntent(reference: string, paymentId: string | null): Promise<LeasedPayment | 'busy' | 'unknown'> {
    const intent = [reference, paymentId];
    const [row] = await this.database.query<PaymentRow>(statements.TAKE_LEASE_BY_INTENT, [...intent, LEASE_MS]);
    if (row) return toLeased(row);
    const known = await this.database.query(statements.KNOWS_INTENT, intent);
    return known.length > 0 ? 'busy' : 'unknown';
  }

  /** Leases of payments whose next step is due. */
  async claimDue(limit: number): Promise<LeasedPayment[]> {
    const rows = await this.database.query<PaymentRow>(statements.CLAIM_DUE, [limit, LEASE_MS]);
    return rows.map(toLeased);
  }

  /** @returns the payment that is to be called off, or undefined where the order has none */
  async requestCancel(orderId: string): Promise<Payment | undefined> {
    const [row] = await this.database.query<PaymentRow>(statements.REQUEST_CANCEL, [orderId]);
    return row && toPayment(row);
  }

  /** @returns the orders that have no payment */
  async requestCaptures(orderIds: readonly string[], tx?: Transaction): Promise<string[]> {
    if (orderIds.length === 0) return [];
    const rows = await (tx ?? this.database).query<{ order_id: string }>(statements.REQUEST_CAPTURES, [orderIds]);
    return rows.map((row) => row.order_id);
  }

  /**
   * Puts a call on record and renews the lease; asked again for the same operation it gives the same attempt, until that one is spent.
   * @throws LeaseLost
   */
  async beginAttempt({ payment, epoch }: LeasedPayment, operation: string): Promise<Attempt> {
    const values = [payment.paymentId, epoch, LEASE_MS, operation];
    const [row] = await this.database.query<{ attempt: number; age_ms: number }>(statements.BEGIN_ATTEMPT, values);
    if (!row) throw new LeaseLost(payment.paymentId);
    return { operation, attempt: row.attempt, ageMs: row.age_ms };
  }

  /**
   * Writes what a call has changed, its outcome and the events.
   * @returns the payment with the wishes that came meanwhile, and whether the lease ended
   * @throws LeaseLost
   */
  async save(lease: LeasedPayment, result: Result): Promise<{ lease: LeasedPayment; released: boolean }> {
    const row = await this.database.transaction(async (tx) => {
      const [saved] = await tx.query<PaymentRow>(statements.SAVE, saveValues(lease, result));
      if (!saved) throw new LeaseLost(lease.payment.paymentId);
      if (result.call) await finishAttempt(tx, lease, result.call);
      await appendToOutbox(tx, result.change.events.map(toOutboxEvent));
      return saved;
    });
    if (result.change.events.length > 0) this.relay.wake();
    return { lease: toLeased(row), released: row.lease_until === null };
  }

  private async insert(tx: Transaction, changes: readonly Change[]): Promise<Set<string>> {
    const column = <T>(value: (payment: Payment) => T) => changes.map(({ payment }) => value(payment));
    const rows = await tx.query<{ payment_id: string }>(statements.INSERT_MANY, [
      column((payment) => payment.paymentId),
      column((payment) => payment.orderId),
      column((payment) => payment.state),
      column((payment) => payment.method),
      column((payment) => payment.amount.amount),
      column((payment) => payment.amount.currency),
      column((payment) => payment.version),
      column((payment) => payment.createTime),
      column((payment) => payment.updateTime),
      column((payment) => (payment.cancelRequested ? payment.updateTime : null)),
    ]);
    const made = new Set(rows.map((row) => row.payment_id));
    const facts = changes.filter(({ payment }) => made.has(payment.paymentId)).flatMap(({ events }) => events);
    await appendToOutbox(tx, facts.map(toOutboxEvent));
    return made;
  }
}

function saveValues({ payment: before, epoch, tries }: LeasedPayment, { change, release }: Result): unknown[] {
  const { payment } = change;
  const retryAfterMs = release?.retryAfterMs;
  const triesNow = payment.version > before.version || !release ? 0 : tries + 1;
  return [
    ...[payment.paymentId, epoch, payment.state, payment.capturedAmount, payment.refundedAmount],
    ...[payment.providerReference, payment.declineCode, payment.version, payment.updateTime],
    ...[release !== undefined, retryAfterMs ?? null, triesNow, before.captureRequested, before.cancelRequested],
  ];
}

async function finishAttempt(tx: Transaction, lease: LeasedPayment, call: NonNullable<Result['call']>): Promise<void> {
  const { operation, attempt } = call.attempt;
  await tx.query(statements.FINISH_ATTEMPT, [
    ...[lease.payment.paymentId, operation, attempt, call.outcome.toUpperCase(), call.detail],
  ]);
}

function existing(payments: ReadonlyMap<string, Payment>, orderId: string): Payment {
  const payment = payments.get(orderId);
  if (!payment) throw new Error(`The payment of order ${orderId} was neither made nor found.`);
  return payment;
}
