/** What the service tells the others: the only mapping of its facts to events. It listens to none. */
import type { OutboxEvent } from '@souk/outbox';
import { OrderCancelled, OrderConfirmed, OrderFulfilled, OrderPlaced, OrderRejected } from '@souk/proto/orders/v1';
import type { OrderEvent } from './domain/order.js';
import { toOrderMessage } from './orders.messages.js';

const CODECS = { OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled };

export function toOutboxEvent({ kind, order, tracking }: OrderEvent): OutboxEvent {
  const message = { order: toOrderMessage(order) };
  const data =
    kind === 'OrderFulfilled'
      ? OrderFulfilled.toJSON({ ...message, tracking: tracking ?? '' })
      : CODECS[kind].toJSON(message);
  return { type: `souk.orders.v1.${kind}`, aggregateId: order.orderId, data };
}
