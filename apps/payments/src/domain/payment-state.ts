/** Where a payment stands. */
export type PaymentState = 'PROCESSING' | 'AUTHORIZED' | 'DECLINED' | 'CAPTURED' | 'VOIDED' | 'REFUNDED';

/** States that a payment may begin in: VOIDED is that of an order whose payment was called off before it was asked for. */
export const INITIAL_STATES: readonly PaymentState[] = ['PROCESSING', 'VOIDED'];

/** What a payment may become next. A state without a next one is final. */
export const PAYMENT_TRANSITIONS: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  PROCESSING: ['AUTHORIZED', 'DECLINED', 'VOIDED'],
  AUTHORIZED: ['CAPTURED', 'VOIDED'],
  DECLINED: [],
  CAPTURED: ['REFUNDED'],
  VOIDED: [],
  REFUNDED: [],
};

export function mayBecome(from: PaymentState, to: PaymentState): boolean {
  return PAYMENT_TRANSITIONS[from].includes(to);
}
