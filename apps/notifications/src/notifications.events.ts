import type { ReceivedEvent } from '@souk/inbox';
import { OrderCancelled, OrderConfirmed, OrderFulfilled, OrderRejected, type Order } from '@souk/proto/orders/v1';
import type { NotificationKind, OrderNews } from './order-mail.js';

interface OrderEvent {
  order: Order | undefined;
  tracking?: string;
}

/** An event that customers are told of, and how it is read. */
export interface ConsumedEvent {
  readonly name: string;
  readonly kind: NotificationKind;
  readonly decode: (json: unknown) => OrderEvent;
}

export const CONSUMED_EVENTS: readonly ConsumedEvent[] = [
  { name: 'OrderConfirmed', kind: 'ORDER_CONFIRMED', decode: OrderConfirmed.fromJSON },
  { name: 'OrderRejected', kind: 'ORDER_REJECTED', decode: OrderRejected.fromJSON },
  { name: 'OrderCancelled', kind: 'ORDER_CANCELLED', decode: OrderCancelled.fromJSON },
  { name: 'OrderFulfilled', kind: 'ORDER_FULFILLED', decode: OrderFulfilled.fromJSON },
];

/** A shop front waits about as long for the outcome of an order; who was refused by then has seen why. */
const SEEN_WITHIN_MS = 5_000;

/**
 * What the events give customers to read. Events that are played again, to rebuild something from the stream, give
 * nothing: their mails went out long ago. Nor do refusals that the customer was still there to see.
 */
export function newsOf(kind: NotificationKind, events: readonly ReceivedEvent<OrderEvent>[]): OrderNews[] {
  return events
    .filter(({ replayed }) => !replayed)
    .map(({ id, data }) => {
      if (!data.order) throw new Error(`The event ${id} has no order.`);
      return { kind, order: data.order, tracking: data.tracking ?? '' };
    })
    .filter(({ order }) => !isErased(order))
    .filter(({ order }) => kind !== 'ORDER_REJECTED' || tookLongerThan(SEEN_WITHIN_MS, order));
}

/** An order whose person was erased since says nobody to write to. */
function isErased({ email }: Order): boolean {
  return email === '';
}

function tookLongerThan(ms: number, { createTime, updateTime }: Order): boolean {
  return (updateTime?.getTime() ?? 0) - (createTime?.getTime() ?? 0) > ms;
}
