/**
 * Which amount each fact moves between which accounts. An entry has one debit and one credit of the same amount, so the
 * books always balance; its cause is unique, so no fact is booked twice.
 */
import type { PaymentEvent } from './payment.js';

/** `clearing` is what the provider, or the till, owes the shop. */
export type Account = 'clearing:card' | 'clearing:manual' | 'sales' | 'refunds' | 'disputes';

export interface LedgerEntry {
  readonly cause: string;
  readonly paymentId: string;
  readonly debit: Account;
  readonly credit: Account;
  readonly amount: bigint;
  readonly currency: string;
}

/** @returns the entry; undefined for a fact that moves no money */
export function entryOf({ payment, capture, refund, disputed }: PaymentEvent): LedgerEntry | undefined {
  const { paymentId, version, method } = payment;
  const clearing: Account = method === 'manual' ? 'clearing:manual' : 'clearing:card';
  const { currency } = payment.amount;
  const entry = (cause: string, debit: Account, credit: Account, amount: bigint) =>
    amount > 0n ? { cause, paymentId, debit, credit, amount, currency } : undefined;
  if (capture) return entry(`capture:${paymentId}:${capture.sequence}`, clearing, 'sales', capture.amount);
  if (refund) return entry(`refund:${refund.refundId}`, 'refunds', clearing, refund.amount);
  if (disputed === undefined) return undefined;
  const cause = `dispute:${paymentId}:${version}`;
  return disputed > 0n ? entry(cause, 'disputes', clearing, disputed) : entry(cause, clearing, 'disputes', -disputed);
}
