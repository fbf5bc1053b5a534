/** Rows of the table payments, and their only mapping to the domain. */
import type { Payment, PaymentMethod } from './domain/payment.js';
import type { PaymentState } from './domain/payment-state.js';

export interface PaymentRow {
  payment_id: string;
  order_id: string;
  state: PaymentState;
  method: PaymentMethod;
  amount: bigint;
  currency: string;
  captured_amount: bigint;
  refunded_amount: bigint;
  provider_reference: string;
  decline_code: string;
  token: string;
  email: string;
  version: number;
  created_at: Date;
  updated_at: Date;
  capture_requested_at: Date | null;
  cancel_requested_at: Date | null;
  tries: number;
  lease_until: Date | null;
  epoch: number;
}

/** A payment that this process alone may change, until its lease ends. */
export interface LeasedPayment {
  readonly payment: Payment;
  readonly epoch: number;
  /** Failed tries so far to take its next step. */
  readonly tries: number;
  readonly token: string;
  readonly email: string;
}

export function toPayment(row: PaymentRow): Payment {
  return {
    paymentId: row.payment_id,
    orderId: row.order_id,
    state: row.state,
    amount: { amount: row.amount, currency: row.currency },
    capturedAmount: row.captured_amount,
    refundedAmount: row.refunded_amount,
    method: row.method,
    providerReference: row.provider_reference,
    declineCode: row.decline_code,
    version: row.version,
    createTime: row.created_at,
    updateTime: row.updated_at,
    captureRequested: row.capture_requested_at !== null,
    cancelRequested: row.cancel_requested_at !== null,
  };
}

export function toLeased(row: PaymentRow): LeasedPayment {
  return { payment: toPayment(row), epoch: row.epoch, tries: row.tries, token: row.token, email: row.email };
}
