/** What the service tells the others, and what it hears of them: the only mapping between facts and events. */
import { invalid } from '@souk/errors';
import type { OutboxEvent } from '@souk/outbox';
import type { EmailVerified } from '@souk/proto/identity/v1';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderFulfilled,
  OrderPlaced,
  OrderRefunded,
  OrderRejected,
} from '@souk/proto/orders/v1';
import type { Payment, PaymentRefunded, PaymentVoided } from '@souk/proto/payments/v1';
import type { OrderEvent, Refund } from './domain/order.js';
import { checkUuid } from './domain/order-input.js';
import type { ProvedAddress } from './guest-orders.js';
import { toOrderMessage } from './orders.messages.js';

const CODECS = { OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled, OrderRefunded };

export function toOutboxEvent({ kind, order, tracking }: OrderEvent): OutboxEvent {
  const message = { order: toOrderMessage(order) };
  const data =
    kind === 'OrderFulfilled'
      ? OrderFulfilled.toJSON({ ...message, tracking: tracking ?? '' })
      : CODECS[kind].toJSON(message);
  return { type: `souk.orders.v1.${kind}`, aggregateId: order.orderId, data };
}

/** @throws DomainError INVALID_ARGUMENT for an event that does not say which order is meant */
export function toVoidedOrder({ data: { payment } }: { data: PaymentVoided }): string {
  return orderOf(payment);
}

/** @throws DomainError INVALID_ARGUMENT for an event that does not say which order is meant */
export function toRefundedOrder({ data: { payment } }: { data: PaymentRefunded }): Refund & { orderId: string } {
  const refundedAmount = payment?.refundedAmount ?? 0n;
  return { orderId: orderOf(payment), refundedAmount, everything: payment?.state === 'STATE_REFUNDED' };
}

/** @throws DomainError INVALID_ARGUMENT for an event that does not say whose address it is */
export function toProvedAddress({ data: { userId, email, verifyTime } }: { data: EmailVerified }): ProvedAddress {
  checkUuid('user_id', userId);
  if (!verifyTime) throw invalid([{ field: 'verify_time', description: 'is missing' }]);
  return { userId, email, time: verifyTime };
}

function orderOf(payment: Payment | undefined): string {
  const orderId = payment?.orderId ?? '';
  checkUuid('payment.order_id', orderId);
  return orderId;
}
