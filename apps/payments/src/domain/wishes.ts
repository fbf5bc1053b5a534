/**
 * What may be asked of a payment, and the next step towards it. Amounts are capped by what was not asked for yet: whoever
 * writes a capture or a refund holds the lock of the payment's row, so two at once never exceed what there is.
 */
import type { Capture, Payment, Refund } from './payment.js';
import { amountTooHigh, notCapturable, notRefundable } from './payment-errors.js';

/** What is wanted next of the provider. */
export type Step =
  | { readonly kind: 'authorize' | 'void' }
  /** Lets go what is left after captures in parts. */
  | { readonly kind: 'release' }
  | { readonly kind: 'capture'; readonly capture: Capture }
  | { readonly kind: 'refund'; readonly refund: Refund };

/** What a refund is made of that nobody has asked for by itself. */
export interface NewRefund {
  readonly refundId: string;
  readonly now: Date;
}

/** The step that brings a payment closer to what is wanted of it; undefined where nothing is left to do. */
export function nextStep(payment: Payment, fresh: NewRefund): Step | undefined {
  switch (payment.state) {
    case 'PROCESSING':
      // Also when it was called off: only the provider knows whether there is something to void.
      return { kind: 'authorize' };
    case 'AUTHORIZED':
      return stepOfAuthorized(payment, fresh.now) ?? nextRefund(payment);
    case 'CAPTURED':
      return nextRefund(payment) ?? refundOfRest(payment, fresh);
    default:
      return undefined;
  }
}

/** Whether there is something left to do. */
export function isUnsettled(payment: Payment): boolean {
  return nextStep(payment, { refundId: '', now: payment.updateTime }) !== undefined;
}

function stepOfAuthorized(payment: Payment, now: Date): Step | undefined {
  const letGo: Step = { kind: payment.capturedAmount > 0n ? 'release' : 'void' };
  // Also while a capture's outcome is unknown: the provider refuses to let go what was taken, and then says so.
  if (payment.cancelRequested) return letGo;
  const asked = payment.captures.find(isUnderWay);
  if (asked) return { kind: 'capture', capture: asked };
  if (payment.lapsed) return letGo;
  if (!payment.captureRequested) return undefined;
  return { kind: 'capture', capture: newCapture(payment, amountToCapture(payment), true, now) };
}

/** Those that the provider has taken on come last: they are only asked about. */
function nextRefund(payment: Payment): Step | undefined {
  const underWay = payment.refunds.filter(isUnderWay);
  const refund = underWay.find(({ reference }) => reference === '') ?? underWay[0];
  return refund && { kind: 'refund', refund };
}

function refundOfRest(payment: Payment, { refundId, now }: NewRefund): Step | undefined {
  const rest = amountToRefund(payment);
  // A payment over nothing, by hand, is given back too.
  if (!payment.cancelRequested || (rest === 0n && payment.capturedAmount > 0n)) return undefined;
  return { kind: 'refund', refund: newRefund(refundId, rest, 'The payment was called off.', now) };
}

/** Minor units that are set aside and that no capture has been asked for. */
export function amountToCapture({ amount, capturedAmount, captures }: Payment): bigint {
  return left(amount.amount - capturedAmount - sumOf(captures.filter(isUnderWay)));
}

/** Minor units that were taken and that no refund has been asked for. */
export function amountToRefund({ capturedAmount, refundedAmount, refunds }: Payment): bigint {
  return left(capturedAmount - refundedAmount - sumOf(refunds.filter(isUnderWay)));
}

/** What was taken or given back at the provider meanwhile may leave less than nothing for what is under way. */
function left(amount: bigint): bigint {
  return amount > 0n ? amount : 0n;
}

/**
 * @param asked minor units; 0 for all that is left
 * @returns the capture to put on record; undefined where all of it was taken before
 * @throws DomainError PAYMENT_NOT_CAPTURABLE, AMOUNT_TOO_HIGH
 */
export function requestCapture(payment: Payment, asked: bigint, moreToCome: boolean, now: Date): Capture | undefined {
  const { orderId, state, cancelRequested, lapsed, captures } = payment;
  if (state === 'CAPTURED' && asked === 0n) return undefined;
  const isEnding = cancelRequested || lapsed || captures.some((capture) => isUnderWay(capture) && capture.final);
  if (state !== 'AUTHORIZED' || isEnding) throw notCapturable(orderId, state);
  const most = amountToCapture(payment);
  if (asked > most) throw amountTooHigh(orderId, asked, most);
  // Only of a payment over nothing, by hand, is nothing taken.
  if (most === 0n && payment.amount.amount > 0n) throw notCapturable(orderId, state);
  const amount = asked === 0n ? most : asked;
  return newCapture(payment, amount, !moreToCome || amount === most, now);
}

/**
 * @param asked minor units; 0 for all that is left
 * @throws DomainError PAYMENT_NOT_REFUNDABLE, AMOUNT_TOO_HIGH
 */
export function requestRefund(payment: Payment, asked: bigint, reason: string, fresh: NewRefund): Refund {
  const { orderId, state, cancelRequested } = payment;
  const most = amountToRefund(payment);
  if (most === 0n || cancelRequested) throw notRefundable(orderId, state);
  if (asked > most) throw amountTooHigh(orderId, asked, most);
  return newRefund(fresh.refundId, asked === 0n ? most : asked, reason, fresh.now);
}

export function newCapture({ captures }: Payment, amount: bigint, final: boolean, now: Date): Capture {
  const sequence = (captures.at(-1)?.sequence ?? 0) + 1;
  return { sequence, amount, final, state: 'PROCESSING', createTime: now };
}

function newRefund(refundId: string, amount: bigint, reason: string, now: Date): Refund {
  return { refundId, amount, state: 'PROCESSING', reason, reference: '', createTime: now };
}

export function isUnderWay({ state }: Capture | Refund): boolean {
  return state === 'PROCESSING';
}

function sumOf(movements: readonly { amount: bigint }[]): bigint {
  return movements.reduce((sum, { amount }) => sum + amount, 0n);
}
