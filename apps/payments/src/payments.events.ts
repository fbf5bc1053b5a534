/** What is published and what is consumed: the only mapping between events and the domain. */
import { outboxEvent, type OutboxEvent } from '@souk/outbox';
import type { OrderConfirmed, OrderFulfilled } from '@souk/proto/orders/v1';
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentDisputed,
  PaymentRefunded,
  PaymentVoided,
} from '@souk/proto/payments/v1';
import type { PaymentEvent } from './domain/payment.js';
import { checkOrderId } from './domain/payment-request.js';
import { toCaptureMessage, toMessage, toRefundMessage } from './payments.messages.js';

const CODECS = {
  PaymentAuthorized,
  PaymentDeclined,
  PaymentCaptured,
  PaymentVoided,
  PaymentRefunded,
  PaymentDisputed,
};

export function toOutboxEvent({ kind, payment, capture, refund }: PaymentEvent): OutboxEvent {
  const message = {
    payment: toMessage(payment),
    capture: capture && toCaptureMessage(capture),
    refund: refund && toRefundMessage(refund),
  };
  return outboxEvent(`souk.payments.v1.${kind}`, payment.paymentId, message, CODECS[kind]);
}

/** Orders whose money is due now. What people see to by hand is not taken by an event. */
export function toOrdersToCapture(events: readonly { data: OrderConfirmed | OrderFulfilled }[]): string[] {
  return events
    .filter(({ data }) => data.order?.paymentMethod === 'card')
    .map(({ data }) => checkOrderId(data.order?.orderId ?? ''));
}
