/** Payments between REST and the messages of the payments service. */
import type { Payment, Refund } from '@souk/proto/payments/v1';
import type { z } from 'zod';
import { enumView, moneyView, present, required, timeView } from './fields.view.js';
import type { paymentSchema, refundSchema } from './payments.schemas.js';

export type PaymentView = z.infer<typeof paymentSchema>;
export type RefundView = z.infer<typeof refundSchema>;

export function paymentView(payment: Payment): PaymentView {
  const { currency } = required(payment.amount);
  const money = (amount: bigint) => moneyView({ amount, currency });
  return {
    id: payment.paymentId,
    orderId: payment.orderId,
    state: enumView('STATE_', payment.state) as PaymentView['state'],
    amount: moneyView(required(payment.amount)),
    captured: money(payment.capturedAmount),
    refunded: money(payment.refundedAmount),
    disputed: money(payment.disputedAmount),
    captures: payment.captures.map(({ sequence, amount, done, createTime }) => ({
      sequence,
      amount: money(amount),
      done,
      createdAt: timeView(createTime),
    })),
    refunds: payment.refunds.map((refund) => refundView(refund, currency)),
    method: payment.method,
    ...present('providerReference', payment.providerReference),
    ...present('declineCode', payment.declineCode),
    version: payment.version,
    createdAt: timeView(payment.createTime),
    updatedAt: timeView(payment.updateTime),
  };
}

export function refundView({ refundId, amount, state, reason, createTime }: Refund, currency: string): RefundView {
  return {
    id: refundId,
    amount: moneyView({ amount, currency }),
    state: enumView('STATE_', state) as RefundView['state'],
    ...present('reason', reason),
    createdAt: timeView(createTime),
  };
}
