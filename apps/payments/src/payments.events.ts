/** What is published and what is consumed: the only mapping between events and the domain. */
import { outboxEvent, type OutboxEvent } from '@souk/outbox';
import type { OrderConfirmed, OrderFulfilled } from '@souk/proto/orders/v1';
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
} from '@souk/proto/payments/v1';
import type { PaymentEvent } from './domain/payment.js';
import { checkOrderId } from './domain/payment-request.js';
import { toMessage } from './payments.messages.js';

const CODECS = { PaymentAuthorized, PaymentDeclined, PaymentCaptured, PaymentVoided, PaymentRefunded };

export function toOutboxEvent({ kind, payment }: PaymentEvent): OutboxEvent {
  return outboxEvent(`souk.payments.v1.${kind}`, payment.paymentId, { payment: toMessage(payment) }, CODECS[kind]);
}

/** Orders whose money is due now. What people see to by hand is not taken by an event. */
export function toOrdersToCapture(events: readonly { data: OrderConfirmed | OrderFulfilled }[]): string[] {
  return events
    .filter(({ data }) => data.order?.paymentMethod === 'card')
    .map(({ data }) => checkOrderId(data.order?.orderId ?? ''));
}
