import { readFileSync } from 'node:fs';
import { workspacePath } from '@souk/testing';

/** The event as the orders service publishes it, for another order. */
export function confirmedOrder(orderId: string, paymentMethod = 'card'): unknown {
  const text = readFileSync(workspacePath('proto/fixtures/souk.orders.v1.OrderConfirmed.json'), 'utf8');
  const event = JSON.parse(text) as { order: object };
  return { ...event, order: { ...event.order, orderId, paymentMethod } };
}

/** The same for an order that was handed to the carrier. */
export function fulfilledOrder(orderId: string): unknown {
  const text = readFileSync(workspacePath('proto/fixtures/souk.orders.v1.OrderFulfilled.json'), 'utf8');
  const event = JSON.parse(text) as { order: object };
  return { ...event, order: { ...event.order, orderId, paymentMethod: 'card' } };
}
