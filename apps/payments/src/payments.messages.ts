/** The only mapping of a payment to its message. */
import type { Payment as PaymentMessage } from '@souk/proto/payments/v1';
import type { Payment } from './domain/payment.js';

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
  };
}
