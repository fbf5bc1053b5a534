/** The only mapping of a payment, its captures and its refunds to their messages. */
import type {
  Capture as CaptureMessage,
  Payment as PaymentMessage,
  Refund as RefundMessage,
} from '@souk/proto/payments/v1';
import type { Capture, Payment, Refund } from './domain/payment.js';

export function toMessage(payment: Payment): PaymentMessage {
  const wasAskedFor = payment.method !== 'none';
  return {
    paymentId: payment.paymentId,
    orderId: payment.orderId,
    state: `STATE_${payment.state}`,
    amount: wasAskedFor ? payment.amount : undefined,
    capturedAmount: payment.capturedAmount,
    refundedAmount: payment.refundedAmount,
    method: wasAskedFor ? payment.method : '',
    providerReference: payment.providerReference,
    declineCode: payment.declineCode,
    version: payment.version,
    createTime: payment.createTime,
    updateTime: payment.updateTime,
    captures: payment.captures.filter(({ state }) => state !== 'FAILED').map(toCaptureMessage),
    refunds: payment.refunds.map(toRefundMessage),
    disputedAmount: payment.disputedAmount,
    retryTime: payment.retryTime,
  };
}

export function toCaptureMessage({ sequence, amount, state, createTime }: Capture): CaptureMessage {
  return { sequence, amount, done: state === 'SUCCEEDED', createTime };
}

export function toRefundMessage({ refundId, amount, state, reason, createTime }: Refund): RefundMessage {
  return { refundId, amount, state: `STATE_${state}`, reason, createTime };
}
