/** What Stripe's objects mean: the only mapping between them and the domain. */
import { createHash } from 'node:crypto';
import type { Money } from '@souk/money';
import type Stripe from 'stripe';
import type { ProviderRefund, ProviderView } from '../domain/follow-provider.js';
import type { MovementState } from '../domain/payment.js';

/** Metadata by which an intent is found when its identifier never reached us. */
export const PAYMENT_ID = 'souk_payment_id';
export const ORDER_ID = 'souk_order_id';
/** Metadata that tells our refunds from those made at the dashboard. */
export const REFUND_ID = 'souk_refund_id';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is seen of an intent besides itself. */
export interface Beside {
  readonly refunds?: readonly ProviderRefund[];
  readonly disputedAmount?: bigint;
}

/** @returns what the intent's status means; undefined where Stripe itself is still at it */
export function viewOf(intent: Stripe.PaymentIntent, beside: Beside = {}): ProviderView | undefined {
  const outcome = outcomeOf(intent);
  if (!outcome) return undefined;
  return {
    outcome,
    reference: intent.id,
    amount: amountOf(intent),
    capturedAmount: BigInt(intent.amount_received),
    refunds: beside.refunds ?? [],
    disputedAmount: beside.disputedAmount,
    code: outcome === 'declined' ? declineCodeOf(intent) : '',
  };
}

export function outcomeOf({
  status,
  amount_received: received,
}: Stripe.PaymentIntent): ProviderView['outcome'] | undefined {
  switch (status) {
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return 'captured';
    case 'canceled':
      return received > 0 ? 'captured' : 'voided';
    // The customer was asked for more, and never came back.
    case 'requires_action':
    case 'requires_payment_method':
      return 'declined';
    default:
      return undefined;
  }
}

export function amountOf({ amount, currency }: { amount: number; currency: string }): Money {
  return { amount: BigInt(amount), currency: currency.toUpperCase() };
}

/** An identifier of ours among an object's metadata; null where there is none, or none of ours. */
export function ourId(about: { metadata?: Record<string, string> | null }, name: string): string | null {
  const id = about.metadata?.[name] ?? '';
  return UUID.test(id) ? id : null;
}

/** A refund that was made at the dashboard gets an identifier made of Stripe's, the same one each time it is seen. */
export function refundOf(refund: Stripe.Refund): ProviderRefund {
  return {
    refundId: ourId(refund, REFUND_ID) ?? uuidOf(refund.id),
    reference: refund.id,
    amount: BigInt(refund.amount),
    state: REFUND_STATES[refund.status ?? ''] ?? 'PROCESSING',
  };
}

const REFUND_STATES: Readonly<Record<string, MovementState>> = {
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  canceled: 'FAILED',
};

/** Money that a bank has taken back. An inquiry takes none. */
export function withdrawnBy({ status, amount }: Stripe.Dispute): bigint {
  const isOver = status === 'won' || status === 'prevented' || status.startsWith('warning_');
  return isOver ? 0n : BigInt(amount);
}

/** What a final capture of a part let go, which Stripe may show as a refund, is none. */
export function isLetGo(refund: Stripe.Refund, charge: Stripe.Charge): boolean {
  const letGo = charge.captured ? charge.amount - charge.amount_captured : 0;
  return letGo > 0 && refund.amount === letGo && ourId(refund, REFUND_ID) === null;
}

export function declineCodeOf(intent: Stripe.PaymentIntent): string {
  if (intent.status === 'requires_action') return 'authentication_required';
  return codeOf(intent.last_payment_error ?? {});
}

export function codeOf(error: { decline_code?: string; code?: string }): string {
  return error.decline_code || error.code || 'declined';
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  // Version 8, variant 1: an identifier made in a way of our own.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
