/** Writes captures, refunds and what the ledger says of them; always in the transaction of the payment's change. */
import { uuidv7, type Transaction } from '@souk/postgres';
import { entryOf } from './domain/ledger.js';
import type { Capture, PaymentEvent, Refund } from './domain/payment.js';
import * as statements from './payments.statements.js';

export async function putCaptures(tx: Transaction, paymentId: string, captures: readonly Capture[]): Promise<void> {
  if (captures.length === 0) return;
  await tx.query(statements.PUT_CAPTURES, [
    paymentId,
    captures.map(({ sequence }) => sequence),
    captures.map(({ amount }) => amount),
    captures.map(({ final }) => final),
    captures.map(({ state }) => state),
    captures.map(({ createTime }) => createTime),
  ]);
}

export async function putRefunds(tx: Transaction, paymentId: string, refunds: readonly Refund[]): Promise<void> {
  if (refunds.length === 0) return;
  await tx.query(statements.PUT_REFUNDS, [
    paymentId,
    refunds.map(({ refundId }) => refundId),
    refunds.map(({ amount }) => amount),
    refunds.map(({ state }) => state),
    refunds.map(({ reason }) => reason),
    refunds.map(({ reference }) => reference),
    refunds.map(({ createTime }) => createTime),
  ]);
}

/** A fact that was booked before makes the whole transaction fail. */
export async function book(tx: Transaction, paymentId: string, facts: readonly PaymentEvent[]): Promise<void> {
  const entries = facts.map(entryOf).filter((entry) => entry !== undefined);
  if (entries.length === 0) return;
  await tx.query(statements.BOOK, [
    paymentId,
    entries.map(() => uuidv7()),
    entries.map(({ cause }) => cause),
    entries.map(({ debit }) => debit),
    entries.map(({ credit }) => credit),
    entries.map(({ amount }) => amount),
    entries.map(({ currency }) => currency),
  ]);
}
