/**
 * The rules of a payment: what may happen to it, and what the world is told. Functions take the payment and the time and
 * return the payment after it together with the facts; an impossible transition throws. Nothing here asks anybody.
 */
import { equalMoney, type Money } from '@souk/money';
import { paymentMismatch } from './payment-errors.js';
import { mayBecome, type PaymentState } from './payment-state.js';

/** `none` is the method of a payment that was called off before anybody said how to pay. */
export type PaymentMethod = 'card' | 'manual' | 'none';

/** PROCESSING: asked for, and the provider's answer is not known. The other two are final. */
export type MovementState = 'PROCESSING' | 'SUCCEEDED' | 'FAILED';

/** One taking of authorised money. */
export interface Capture {
  /** 1 for the first of the payment, and so on. */
  readonly sequence: number;
  /** Minor units. */
  readonly amount: bigint;
  /** Whether what is left of the authorisation is let go with it. */
  readonly final: boolean;
  readonly state: MovementState;
  readonly createTime: Date;
}

/** One giving back of captured money. */
export interface Refund {
  readonly refundId: string;
  /** Minor units. */
  readonly amount: bigint;
  readonly state: MovementState;
  readonly reason: string;
  /** Provider's identifier; empty until the provider has taken it on, and for `manual`. */
  readonly reference: string;
  readonly createTime: Date;
}

export interface Payment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly state: PaymentState;
  readonly amount: Money;
  /** Minor units taken so far. */
  readonly capturedAmount: bigint;
  /** Minor units given back so far. */
  readonly refundedAmount: bigint;
  /** Minor units that the customer's bank took back. */
  readonly disputedAmount: bigint;
  readonly method: PaymentMethod;
  /** Provider's identifier; empty until it is known, and for `manual`. */
  readonly providerReference: string;
  readonly declineCode: string;
  /** From when on a card may be tried again, where too many were declined and the provider was not asked. */
  readonly retryTime?: Date;
  /** Grows by one with each change of its state or its amounts. */
  readonly version: number;
  readonly createTime: Date;
  readonly updateTime: Date;
  /** Somebody wants the money to be taken, all that is left. */
  readonly captureRequested: boolean;
  /** Somebody wants the money to go back, whatever there is of it. */
  readonly cancelRequested: boolean;
  /** Nobody has taken the money in time. */
  readonly lapsed: boolean;
  /** In their sequence. */
  readonly captures: readonly Capture[];
  /** In the order of asking. */
  readonly refunds: readonly Refund[];
}

export type PaymentEventKind =
  'PaymentAuthorized' | 'PaymentDeclined' | 'PaymentCaptured' | 'PaymentVoided' | 'PaymentRefunded' | 'PaymentDisputed';

/** A fact, with the payment as it was right after it, and what moved. */
export interface PaymentEvent {
  readonly kind: PaymentEventKind;
  readonly payment: Payment;
  readonly capture?: Capture;
  readonly refund?: Refund;
  /** Minor units that a bank took; negative where it gave them back. */
  readonly disputed?: bigint;
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
    disputedAmount: 0n,
    method: terms.method,
    providerReference: '',
    declineCode: '',
    version: 1,
    createTime: now,
    updateTime: now,
    captureRequested: false,
    cancelRequested: false,
    lapsed: false,
    captures: [],
    refunds: [],
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

export function authorizePayment(payment: Payment, providerReference: string, now: Date): Change {
  return become(payment, 'AUTHORIZED', 'PaymentAuthorized', { providerReference }, now);
}

export function declinePayment(payment: Payment, providerReference: string, declineCode: string, now: Date): Change {
  return become(payment, 'DECLINED', 'PaymentDeclined', { providerReference, declineCode }, now);
}

/** Nothing was taken, and nothing will be. */
export function voidPayment(payment: Payment, now: Date): Change {
  return become(payment, 'VOIDED', 'PaymentVoided', { captures: payment.captures.map(unlessDone) }, now);
}

/** Something was taken, and no more will be. */
export function closePayment(payment: Payment, now: Date): Change {
  const captures = payment.captures.map(unlessDone);
  return settled(become(payment, 'CAPTURED', 'PaymentCaptured', { captures }, now), now);
}

/** Notes that a part was taken; where `closes`, it was the last one. A capture that was not on record is put there. */
export function capturePart(payment: Payment, part: Capture, closes: boolean, now: Date): Change {
  const capture: Capture = { ...part, state: 'SUCCEEDED' };
  const others = payment.captures.filter(({ sequence }) => sequence !== capture.sequence);
  const captures = [...(closes ? others.map(unlessDone) : others), capture].toSorted((a, b) => a.sequence - b.sequence);
  const what = { captures, capturedAmount: payment.capturedAmount + capture.amount };
  const change = closes
    ? become(payment, 'CAPTURED', 'PaymentCaptured', what, now, { capture })
    : stay(payment, 'PaymentCaptured', what, now, { capture });
  return settled(change, now);
}

/**
 * Notes that a part went back. A refund that was not on record is put there. It is REFUNDED once nothing is left, which
 * fails what was under way: there is nothing that it could give back.
 */
export function refundPart(payment: Payment, part: Refund, now: Date): Change {
  const refund: Refund = { ...part, state: 'SUCCEEDED' };
  const { refunds } = withRefund(payment, refund);
  const refundedAmount = payment.refundedAmount + refund.amount;
  const isAll = payment.state === 'CAPTURED' && refundedAmount === payment.capturedAmount;
  return isAll
    ? become(payment, 'REFUNDED', 'PaymentRefunded', { refunds: refunds.map(unlessDone), refundedAmount }, now, {
        refund,
      })
    : stay(payment, 'PaymentRefunded', { refunds, refundedAmount }, now, { refund });
}

/** Notes how much the customer's bank holds now. */
export function disputePayment(payment: Payment, disputedAmount: bigint, now: Date): Change {
  const disputed = disputedAmount - payment.disputedAmount;
  return stay(payment, 'PaymentDisputed', { disputedAmount }, now, { disputed });
}

/** Notes that the provider refused; what was asked for is free again. */
export function failCapture(payment: Payment, { sequence }: Capture, now: Date): Change {
  const captures = payment.captures.map((capture) => (capture.sequence === sequence ? unlessDone(capture) : capture));
  return { payment: changed(payment, { captures }, now), events: [] };
}

/** Notes that the provider refused; the amount is free again. */
export function failRefund(payment: Payment, refund: Refund, now: Date): Change {
  return { payment: changed(payment, withRefund(payment, { ...refund, state: 'FAILED' }), now), events: [] };
}

/** Puts a refund on record, or the newer knowledge of one. */
export function withRefund(payment: Payment, refund: Refund): Payment {
  const isKnown = payment.refunds.some(({ refundId }) => refundId === refund.refundId);
  const refunds = isKnown
    ? payment.refunds.map((it) => (it.refundId === refund.refundId ? refund : it))
    : [...payment.refunds, refund];
  return { ...payment, refunds };
}

/** Does one thing after the other. */
export function inTurn(payment: Payment, ...steps: ((payment: Payment) => Change)[]): Change {
  return steps.reduce<Change>((before, step) => {
    const { payment: after, events } = step(before.payment);
    return { payment: after, events: [...before.events, ...events] };
  }, unchanged(payment));
}

export function unchanged(payment: Payment): Change {
  return { payment, events: [] };
}

/** Where all that was taken in parts has gone back already, the last of it ends the payment. */
function settled(change: Change, now: Date): Change {
  const { state, capturedAmount, refundedAmount } = change.payment;
  const isOver = state === 'CAPTURED' && refundedAmount > 0n && refundedAmount === capturedAmount;
  if (!isOver) return change;
  const refunds = change.payment.refunds.map(unlessDone);
  const end = become(change.payment, 'REFUNDED', 'PaymentRefunded', { refunds }, now);
  return { payment: end.payment, events: [...change.events, ...end.events] };
}

function unlessDone<M extends Capture | Refund>(movement: M): M {
  return movement.state === 'PROCESSING' ? { ...movement, state: 'FAILED' } : movement;
}

type Moved = Pick<PaymentEvent, 'capture' | 'refund' | 'disputed'>;

function become(
  payment: Payment,
  state: PaymentState,
  kind: PaymentEventKind,
  what: Partial<Payment>,
  now: Date,
  moved: Moved = {},
): Change {
  if (!mayBecome(payment.state, state)) throw new Error(`A payment that is ${payment.state} can't become ${state}.`);
  return stay(payment, kind, { ...what, state }, now, moved);
}

function stay(payment: Payment, kind: PaymentEventKind, what: Partial<Payment>, now: Date, moved: Moved): Change {
  const next = changed(payment, what, now);
  return { payment: next, events: [{ kind, payment: next, ...moved }] };
}

function changed(payment: Payment, what: Partial<Payment>, now: Date): Payment {
  return { ...payment, ...what, version: payment.version + 1, updateTime: now };
}
