/**
 * How a payment comes to what the provider holds. Views may be old (an answer that was replayed, a late notice): they move
 * a payment on along its states and its amounts up, never back. Money is taken and given back at the provider's dashboard
 * too; what is seen there and is not on record is put on record.
 */
import { equalMoney, type Money } from '@souk/money';
import {
  authorizePayment,
  capturePart,
  closePayment,
  declinePayment,
  disputePayment,
  failRefund,
  inTurn,
  refundPart,
  unchanged,
  voidPayment,
  withRefund,
  type Capture,
  type Change,
  type MovementState,
  type Payment,
} from './payment.js';
import { isUnderWay, newCapture } from './wishes.js';

/** What the provider is known to hold of a payment. */
export interface ProviderView {
  /** `authorized` also while a part was taken and more may be. */
  readonly outcome: 'authorized' | 'captured' | 'voided' | 'declined';
  /** Provider's identifier of the intent; empty for `manual`. */
  readonly reference: string;
  /** What the intent is about; undefined where the provider does not say. */
  readonly amount?: Money;
  readonly capturedAmount: bigint;
  /** Those that are known; a view that leaves some out is merely older. */
  readonly refunds: readonly ProviderRefund[];
  /** What banks hold; undefined where the view does not say. */
  readonly disputedAmount?: bigint;
  /** Why it was declined. */
  readonly code: string;
}

export interface ProviderRefund {
  /** The one that the provider was told; one made of `reference` where it was told none. */
  readonly refundId: string;
  readonly reference: string;
  readonly amount: bigint;
  readonly state: MovementState;
}

export function followProvider(payment: Payment, view: ProviderView, now: Date): Change {
  if (isOtherIntent(payment, view)) return unchanged(payment);
  return inTurn(
    payment,
    (p) => followAnswer(p, view, now),
    (p) => followCaptures(p, view, now),
    (p) => followEnd(p, view, now),
    (p) => followRefunds(p, view, now),
    (p) => followDisputes(p, view, now),
  );
}

/** How money that the provider holds, and that no payment accounts for, goes back; undefined where there is none. */
export function strayMoney(payment: Payment, view: ProviderView): 'void' | 'refund' | undefined {
  const gone = payment.state === 'VOIDED' || payment.state === 'DECLINED' || payment.state === 'REFUNDED';
  if (!gone && !isOtherIntent(payment, view)) return undefined;
  if (view.outcome === 'authorized') return 'void';
  return view.outcome === 'captured' && refundedOf(view) < view.capturedAmount ? 'refund' : undefined;
}

/** True for an intent of the same order that is not the one this payment goes by, or is about another amount. */
export function isOtherIntent({ providerReference, amount }: Payment, view: ProviderView): boolean {
  if (providerReference === '') return view.amount !== undefined && !equalMoney(view.amount, amount);
  return view.reference !== '' && view.reference !== providerReference;
}

/** What a notice says about an intent. */
export interface News {
  readonly reference: string;
  readonly says: ProviderView['outcome'] | 'refunded';
  /** How much was captured, or refunded. */
  readonly amount: bigint;
}

/** True where the news are old: the payment got that far by itself, and the provider has nothing to add. */
export function isOldNews(payment: Payment, { reference, says, amount }: News): boolean {
  const { state, providerReference, capturedAmount, refundedAmount } = payment;
  if (reference === '' || reference !== providerReference) return false;
  switch (says) {
    case 'authorized':
      return state !== 'PROCESSING' && state !== 'DECLINED' && capturedAmount >= amount;
    case 'captured':
      return (state === 'CAPTURED' || state === 'REFUNDED') && capturedAmount >= amount;
    case 'refunded':
      return refundedAmount >= amount;
    case 'voided':
      return state === 'VOIDED';
    case 'declined':
      return state === 'DECLINED';
  }
}

function followAnswer(payment: Payment, view: ProviderView, now: Date): Change {
  if (payment.state !== 'PROCESSING') return unchanged(payment);
  switch (view.outcome) {
    case 'authorized':
    case 'captured':
      return authorizePayment(payment, view.reference, now);
    case 'declined':
      return declinePayment(payment, view.reference, view.code, now);
    case 'voided':
      return voidPayment({ ...payment, providerReference: view.reference }, now);
  }
}

/**
 * What was taken beyond what is known belongs to the captures that were asked for, in their sequence, as far as it
 * reaches. The rest of it was taken by somebody else.
 */
function followCaptures(payment: Payment, view: ProviderView, now: Date): Change {
  let beyond = view.capturedAmount - payment.capturedAmount;
  if (payment.state !== 'AUTHORIZED') return unchanged(payment);
  const taken: Capture[] = [];
  for (const capture of payment.captures.filter(isUnderWay)) {
    if (capture.amount > beyond || (capture.final && view.outcome === 'authorized')) break;
    taken.push(capture);
    beyond -= capture.amount;
  }
  if (beyond > 0n) taken.push(newCapture(payment, beyond, view.outcome === 'captured', now));
  const steps = taken.map((capture, index) => {
    const closes = index === taken.length - 1 && view.outcome === 'captured';
    return (p: Payment) => capturePart(p, capture, closes, now);
  });
  return inTurn(payment, ...steps);
}

/** Where nothing more can be taken, though nothing was taken just now: it was called off, or its time was up. */
function followEnd(payment: Payment, view: ProviderView, now: Date): Change {
  if (payment.state !== 'AUTHORIZED') return unchanged(payment);
  if (view.outcome === 'voided') return voidPayment(payment, now);
  return view.outcome === 'captured' ? closePayment(payment, now) : unchanged(payment);
}

function followRefunds(payment: Payment, view: ProviderView, now: Date): Change {
  const isCaptured = payment.state === 'AUTHORIZED' || payment.state === 'CAPTURED';
  const steps = isCaptured ? view.refunds.map((seen) => (p: Payment) => followRefund(p, seen, now)) : [];
  return inTurn(payment, ...steps);
}

function followRefund(payment: Payment, seen: ProviderRefund, now: Date): Change {
  const known = payment.refunds.find(({ refundId }) => refundId === seen.refundId);
  if (known && !isUnderWay(known)) return unchanged(payment);
  const refund = known
    ? { ...known, reference: seen.reference }
    : { ...seen, state: 'PROCESSING' as const, reason: 'Made at the provider.', createTime: now };
  switch (seen.state) {
    case 'SUCCEEDED':
      // More than was taken can't have gone back: it is what a final capture let go, which some providers call a refund.
      if (payment.refundedAmount + seen.amount > payment.capturedAmount) return unchanged(payment);
      return refundPart(payment, refund, now);
    case 'FAILED':
      return known ? failRefund(payment, refund, now) : unchanged(payment);
    case 'PROCESSING':
      return unchanged(withRefund(payment, refund));
  }
}

function followDisputes(payment: Payment, { disputedAmount }: ProviderView, now: Date): Change {
  const isNews = disputedAmount !== undefined && disputedAmount !== payment.disputedAmount;
  return isNews ? disputePayment(payment, disputedAmount, now) : unchanged(payment);
}

function refundedOf({ refunds }: ProviderView): bigint {
  return refunds.reduce((sum, { state, amount }) => (state === 'FAILED' ? sum : sum + amount), 0n);
}
