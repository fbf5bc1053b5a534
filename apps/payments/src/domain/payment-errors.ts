import { DomainError } from '@souk/errors';
import type { PaymentState } from './payment-state.js';

export function paymentMismatch(orderId: string): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'PAYMENT_MISMATCH',
    message: 'The order already has a payment of another amount or method.',
    metadata: { orderId },
  });
}

export function paymentNotFound(orderId: string): DomainError {
  return new DomainError({
    kind: 'not_found',
    reason: 'PAYMENT_NOT_FOUND',
    message: 'The order has no payment.',
    metadata: { orderId },
  });
}

export function notCapturable(orderId: string, state: PaymentState): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'PAYMENT_NOT_CAPTURABLE',
    message: `A payment that is ${state} or called off can't be captured.`,
    metadata: { orderId, state },
  });
}

export function notRefundable(orderId: string, state: PaymentState): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'PAYMENT_NOT_REFUNDABLE',
    message: `A payment that is ${state} or called off holds nothing that could be refunded.`,
    metadata: { orderId, state },
  });
}

export function amountTooHigh(orderId: string, asked: bigint, left: bigint): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'AMOUNT_TOO_HIGH',
    message: `${asked} is more than the ${left} that is left.`,
    metadata: { orderId, asked: String(asked), left: String(left) },
  });
}

export function webhookSignatureInvalid(cause: unknown): DomainError {
  return new DomainError({
    kind: 'invalid',
    reason: 'WEBHOOK_SIGNATURE_INVALID',
    message: 'The notice is not signed by the payment provider, or too old.',
    cause,
  });
}
