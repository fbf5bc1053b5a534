/** Rows of the tables payments, captures and refunds, and their only mapping to the domain. */
import type { Capture, MovementState, Payment, PaymentMethod, Refund } from './domain/payment.js';
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
  disputed_amount: bigint;
  provider_reference: string;
  decline_code: string;
  token: string;
  email: string;
  counted_for: string;
  retry_at: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
  capture_requested_at: Date | null;
  cancel_requested_at: Date | null;
  lapsed_at: Date | null;
  wishes: number;
  tries: number;
  lease_until: Date | null;
  epoch: number;
  /** Left out where there can't be any, or nobody asks. */
  captures?: CaptureJson[];
  refunds?: RefundJson[];
}

interface MovementJson {
  amount: string;
  state: MovementState;
  createTime: string;
}

type CaptureJson = MovementJson & Pick<Capture, 'sequence' | 'final'>;
type RefundJson = MovementJson & Pick<Refund, 'refundId' | 'reason' | 'reference'>;

/** A payment that this process alone may change, until its lease ends. */
export interface LeasedPayment {
  readonly payment: Payment;
  readonly epoch: number;
  /** Grows with each wish: a write that does not know of the latest is not made. */
  readonly wishes: number;
  /** Failed tries so far to take its next step. */
  readonly tries: number;
  readonly token: string;
  readonly email: string;
  /** What its try counts for until the provider has answered. */
  readonly countedFor: string;
}

export function toPayment(row: PaymentRow): Payment {
  return {
    paymentId: row.payment_id,
    orderId: row.order_id,
    state: row.state,
    amount: { amount: row.amount, currency: row.currency },
    capturedAmount: row.captured_amount,
    refundedAmount: row.refunded_amount,
    disputedAmount: row.disputed_amount,
    method: row.method,
    providerReference: row.provider_reference,
    declineCode: row.decline_code,
    ...(row.retry_at && { retryTime: row.retry_at }),
    version: row.version,
    createTime: row.created_at,
    updateTime: row.updated_at,
    captureRequested: row.capture_requested_at !== null,
    cancelRequested: row.cancel_requested_at !== null,
    lapsed: row.lapsed_at !== null,
    captures: row.captures?.map(toMovement) ?? [],
    refunds: row.refunds?.map(toMovement) ?? [],
  };
}

export function toLeased(row: PaymentRow): LeasedPayment {
  const { epoch, wishes, tries, token, email, counted_for: countedFor } = row;
  return { payment: toPayment(row), epoch, wishes, tries, token, email, countedFor };
}

function toMovement<J extends MovementJson>(json: J): J & { amount: bigint; createTime: Date } {
  return { ...json, amount: BigInt(json.amount), createTime: new Date(json.createTime) };
}
