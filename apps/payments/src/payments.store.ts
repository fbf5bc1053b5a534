/**
 * Payments in Postgres, and what is wished of them. Guarantees: one payment per order; captures and refunds that are asked
 * for are on record before anybody is asked for the money, with the claim of their key in one transaction, and capped by
 * what is left under the lock of the payment's row. Wishes need no lease: they are counted, and whoever holds the lease
 * writes nothing that does not know of all of them. States and amounts are the business of LeasesStore.
 */
import { Injectable } from '@nestjs/common';
import { claimOnce, type Claim, type Claimed } from '@souk/idempotency';
import { appendToOutbox, OutboxRelay } from '@souk/outbox';
import { Database, type Transaction } from '@souk/postgres';
import type { Capture, Change, Payment, Refund } from './domain/payment.js';
import { paymentNotFound } from './domain/payment-errors.js';
import { putCaptures, putRefunds } from './movements.rows.js';
import { toOutboxEvent } from './payments.events.js';
import { toPayment, type PaymentRow } from './payments.rows.js';
import * as statements from './payments.statements.js';

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

  /** Without captures and refunds. */
  async getMany(orderIds: readonly string[]): Promise<Payment[]> {
    const rows = await this.database.query<PaymentRow>(statements.GET_MANY, [orderIds]);
    return rows.map(toPayment);
  }

  /** By the provider's identifiers; without captures and refunds. */
  async byReferences(references: readonly string[]): Promise<Map<string, Payment>> {
    const rows = await this.database.query<PaymentRow>(statements.GET_BY_REFERENCES, [references]);
    return new Map(rows.map((row) => [row.provider_reference, toPayment(row)]));
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

  /** @returns whether the order has a payment, which is to be called off now */
  async requestCancel(orderId: string): Promise<boolean> {
    return (await this.database.query(statements.REQUEST_CANCEL, [orderId])).length > 0;
  }

  /** @returns the orders that have no payment */
  async requestCaptures(orderIds: readonly string[], tx?: Transaction): Promise<string[]> {
    if (orderIds.length === 0) return [];
    const rows = await (tx ?? this.database).query<{ order_id: string }>(statements.REQUEST_CAPTURES, [orderIds]);
    return rows.map((row) => row.order_id);
  }

  /**
   * Puts the capture that `decide` makes of the payment on record, once per claim.
   * @returns its sequence; 0 where there was nothing to capture
   * @throws what `decide` throws, and DomainError PAYMENT_NOT_FOUND
   */
  requestCapture(
    claim: Claim,
    orderId: string,
    decide: (payment: Payment) => Capture | undefined,
  ): Promise<Claimed<{ sequence: number }>> {
    return this.wish(claim, orderId, async (tx, payment) => {
      const capture = decide(payment);
      if (!capture) return { sequence: 0 };
      await putCaptures(tx, payment.paymentId, [capture]);
      await tx.query(statements.NOTE_WISH, [payment.paymentId]);
      return { sequence: capture.sequence };
    });
  }

  /**
   * Puts the refund that `decide` makes of the payment on record, once per claim.
   * @throws what `decide` throws, and DomainError PAYMENT_NOT_FOUND
   */
  requestRefund(
    claim: Claim,
    orderId: string,
    decide: (payment: Payment) => Refund,
  ): Promise<Claimed<{ refundId: string }>> {
    return this.wish(claim, orderId, async (tx, payment) => {
      const refund = decide(payment);
      await putRefunds(tx, payment.paymentId, [refund]);
      await tx.query(statements.NOTE_WISH, [payment.paymentId]);
      return { refundId: refund.refundId };
    });
  }

  private wish<A>(
    claim: Claim,
    orderId: string,
    work: (tx: Transaction, payment: Payment) => Promise<A>,
  ): Promise<Claimed<A>> {
    const codec = { toJSON: (answer: A) => answer, fromJSON: (json: unknown) => json as A };
    return this.database.transaction((tx) =>
      claimOnce(tx, claim, codec, async () => work(tx, await this.lock(tx, orderId))),
    );
  }

  private async lock(tx: Transaction, orderId: string): Promise<Payment> {
    const [locked] = await tx.query<{ payment_id: string }>(statements.LOCK, [orderId]);
    const [row] = locked ? await tx.query<PaymentRow>(statements.LOAD, [[locked.payment_id]]) : [];
    if (!row) throw paymentNotFound(orderId);
    return toPayment(row);
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

function existing(payments: ReadonlyMap<string, Payment>, orderId: string): Payment {
  const payment = payments.get(orderId);
  if (!payment) throw new Error(`The payment of order ${orderId} was neither made nor found.`);
  return payment;
}
