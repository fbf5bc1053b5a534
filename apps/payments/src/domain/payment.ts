/**
 * The rules of a payment: what may happen to it, and what the world is told. Functions take the payment and the time and
 * return the payment after it together with the facts; an impossible transition throws. Nothing here asks anybody.
 */
import { equalMoney, type Money } from '@souk/money';
import { notCapturable, paymentMismatch } from './payment-errors.js';
import { mayBecome, type PaymentState } from './payment-state.js';

/** `none` is the method of a payment that was called off before anybody said how to pay. */
export type PaymentMethod = 'card' | 'manual' | 'none';

export interface Payment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly state: PaymentState;
  readonly amount: Money;
  /** Minor units taken so far. */
  readonly capturedAmount: bigint;
  /** Minor units given back so far. */
  readonly refundedAmount: bigint;
  readonly method: PaymentMethod;
  /** Provider's identifier; empty until it is known, and for `manual`. */
  readonly providerReference: string;
  readonly declineCode: string;
  /** Grows by one with each change. */
  readonly version: number;
  readonly createTime: Date;
  readonly updateTime: Date;
  /** Somebody wants the money to be taken. */
  readonly captureRequested: boolean;
  /** Somebody wants the money to go back, whatever there is of it. */
  readonly cancelRequested: boolean;
}

export type PaymentEventKind =
  'PaymentAuthorized' | 'PaymentDeclined' | 'PaymentCaptured' | 'PaymentVoided' | 'PaymentRefunded';

/** A fact, with the payment as it was right after it. */
export interface PaymentEvent {
  readonly kind: PaymentEventKind;
  readonly payment: Payment;
}

export interface Change {
  readonly payment: Payment;
  readonly events: readonly PaymentEvent[];
}

export interface PaymentTerms {
  readonly orderId: string;
  readonly amount: Money;
  readonly method: PaymentMethod;
}

/** What is wanted next of the provider. */
export type Step = 'authorize' | 'capture' | 'void' | 'refund';

/** What the provider is known to hold of a payment. */
export type ProviderView =
  | { readonly outcome: 'authorized' | 'voided'; readonly reference: string }
  | { readonly outcome: 'declined'; readonly reference: string; readonly code: string }
  | {
      readonly outcome: 'captured';
      readonly reference: string;
      readonly capturedAmount: bigint;
      readonly refundedAmount: bigint;
    };

/** ISO 4217's code for "no currency". */
const NO_MONEY: Money = { amount: 0n, currency: 'XXX' };

/** A payment that the provider is about to be asked for. */
export function openPayment(terms: PaymentTerms, paymentId: string, now: Date): Payment {
  return {
    paymentId,
    orderId: terms.orderId,
    state: 'PROCESSING',
    amount: terms.amount,
    capturedAmount: 0n,
    refundedAmount: 0n,
    method: terms.method,
    providerReference: '',
    declineCode: '',
    version: 1,
    createTime: now,
    updateTime: now,
    captureRequested: false,
    cancelRequested: false,
  };
}

/** Stands in the way of an authorisation that comes after its own cancellation. */
export function voidInAdvance(orderId: string, paymentId: string, now: Date): Change {
  const opened = openPayment({ orderId, amount: NO_MONEY, method: 'none' }, paymentId, now);
  const payment: Payment = { ...opened, state: 'VOIDED', cancelRequested: true };
  return { payment, events: [{ kind: 'PaymentVoided', payment }] };
}

/** @throws DomainError PAYMENT_MISMATCH where the order's payment is another one than was asked for */
export function requireSameTerms(payment: Payment, terms: PaymentTerms): void {
  if (payment.method === 'none') return;
  if (payment.method === terms.method && equalMoney(payment.amount, terms.amount)) return;
  throw paymentMismatch(payment.orderId);
}

/** @throws DomainError PAYMENT_NOT_CAPTURABLE unless its money was taken already or can be */
export function requireCapturable(payment: Payment): void {
  if (payment.state === 'CAPTURED') return;
  if (payment.state !== 'AUTHORIZED' || payment.cancelRequested) throw notCapturable(payment.orderId, payment.state);
}

/** The step that brings a payment closer to what is wanted of it; undefined where nothing is left to do. */
export function nextStep(payment: Payment): Step | undefined {
  switch (payment.state) {
    case 'PROCESSING':
      // Also when it was called off: only the provider knows whether there is something to void.
      return 'authorize';
    case 'AUTHORIZED':
      if (payment.cancelRequested) return 'void';
      return payment.captureRequested ? 'capture' : undefined;
    case 'CAPTURED':
      return payment.cancelRequested ? 'refund' : undefined;
    default:
      return undefined;
  }
}

export function authorizePayment(payment: Payment, providerReference: string, now: Date): Change {
  return become(payment, 'AUTHORIZED', 'PaymentAuthorized', { providerReference }, now);
}

export function declinePayment(payment: Payment, providerReference: string, declineCode: string, now: Date): Change {
  return become(payment, 'DECLINED', 'PaymentDeclined', { providerReference, declineCode }, now);
}

export function capturePayment(payment: Payment, capturedAmount: bigint, now: Date): Change {
  return become(payment, 'CAPTURED', 'PaymentCaptured', { capturedAmount }, now);
}

export function voidPayment(payment: Payment, now: Date): Change {
  return become(payment, 'VOIDED', 'PaymentVoided', {}, now);
}

/** Notes how much went back in all; it is REFUNDED once nothing is left. */
export function refundPayment(payment: Payment, refundedAmount: bigint, now: Date): Change {
  if (refundedAmount >= payment.capturedAmount) {
    return become(payment, 'REFUNDED', 'PaymentRefunded', { refundedAmount }, now);
  }
  return { payment: { ...payment, refundedAmount, version: payment.version + 1, updateTime: now }, events: [] };
}

/**
 * Brings a payment to what the provider holds. Views may be old (an answer that was replayed, a late notice): they move
 * a payment on along its states and never back.
 */
export function followProvider(payment: Payment, view: ProviderView, now: Date): Change {
  if (isOtherIntent(payment, view)) return unchanged(payment);
  switch (view.outcome) {
    case 'authorized':
      return payment.state === 'PROCESSING' ? authorizePayment(payment, view.reference, now) : unchanged(payment);
    case 'declined':
      return payment.state === 'PROCESSING'
        ? declinePayment(payment, view.reference, view.code, now)
        : unchanged(payment);
    case 'voided':
      return mayBecome(payment.state, 'VOIDED')
        ? voidPayment({ ...payment, providerReference: view.reference }, now)
        : unchanged(payment);
    case 'captured':
      return followCapture(payment, view, now);
  }
}

/** How money that the provider holds, and that no payment accounts for, goes back; undefined where there is none. */
export function strayMoney(payment: Payment, view: ProviderView): 'void' | 'refund' | undefined {
  const gone = payment.state === 'VOIDED' || payment.state === 'DECLINED' || payment.state === 'REFUNDED';
  if (!gone && !isOtherIntent(payment, view)) return undefined;
  if (view.outcome === 'authorized') return 'void';
  return view.outcome === 'captured' && view.refundedAmount < view.capturedAmount ? 'refund' : undefined;
}

/** True where news of that outcome are old: the payment got that far by itself, and the provider has nothing to add. */
export function isOldNews(payment: Payment, reference: string, outcome: ProviderView['outcome']): boolean {
  if (reference === '' || reference !== payment.providerReference) return false;
  switch (outcome) {
    case 'authorized':
      return payment.state !== 'PROCESSING' && payment.state !== 'DECLINED';
    case 'captured':
      return payment.state === 'CAPTURED' || payment.state === 'REFUNDED';
    case 'voided':
      return payment.state === 'VOIDED';
    case 'declined':
      return payment.state === 'DECLINED';
  }
}

/** True for an intent of the same order that is not the one this payment goes by. */
export function isOtherIntent(payment: Payment, view: ProviderView): boolean {
  return payment.providerReference !== '' && view.reference !== '' && view.reference !== payment.providerReference;
}

function followCapture(payment: Payment, view: Extract<ProviderView, { outcome: 'captured' }>, now: Date): Change {
  const steps: ((payment: Payment) => Change)[] = [];
  if (payment.state === 'PROCESSING') steps.push((p) => authorizePayment(p, view.reference, now));
  if (payment.state === 'PROCESSING' || payment.state === 'AUTHORIZED') {
    steps.push((p) => capturePayment(p, view.capturedAmount, now));
  }
  const holdsMoney = steps.length > 0 || payment.state === 'CAPTURED';
  if (holdsMoney && view.refundedAmount > payment.refundedAmount) {
    steps.push((p) => refundPayment(p, view.refundedAmount, now));
  }
  return steps.reduce<Change>((change, step) => {
    const next = step(change.payment);
    return { payment: next.payment, events: [...change.events, ...next.events] };
  }, unchanged(payment));
}

function become(
  payment: Payment,
  state: PaymentState,
  kind: PaymentEventKind,
  what: Partial<Payment>,
  now: Date,
): Change {
  if (!mayBecome(payment.state, state)) throw new Error(`A payment that is ${payment.state} can't become ${state}.`);
  const next: Payment = { ...payment, ...what, state, version: payment.version + 1, updateTime: now };
  return { payment: next, events: [{ kind, payment: next }] };
}

function unchanged(payment: Payment): Change {
  return { payment, events: [] };
}
