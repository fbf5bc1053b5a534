import type { EventBus } from '@souk/events';
import { EventConsumer } from '@souk/inbox';
import type { Database } from '@souk/postgres';
import { EmailVerified } from '@souk/proto/identity/v1';
import { PaymentRefunded, PaymentVoided } from '@souk/proto/payments/v1';
import { Consumers } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { losePayment, refundOrder, type Order } from './domain/order.js';
import { giveOrders } from './guest-orders.js';
import { toProvedAddress, toRefundedOrder, toVoidedOrder } from './orders.events.js';
import type { OrdersStore } from './orders.store.js';

export interface ConsumerParts {
  readonly database: Database;
  readonly bus: EventBus;
  readonly logger: Logger;
  /** Called when something is to be published or sagas became due. */
  readonly afterCommit: () => void;
}

/** The sagas of orders that lost their payment are due at once, for whoever comes first. */
const NO_LEASE = 0;

/**
 * What this service does about payments that went another way than its orders asked for, and about proofs of addresses. All
 * of these may come in any order and more than once: a lost payment stays lost, of two sums that went back the larger one is
 * the later one, and an order comes to one account, once.
 */
export function ordersConsumers(orders: OrdersStore, parts: ConsumerParts): Consumers {
  return new Consumers([
    new EventConsumer<PaymentVoided>({
      ...parts,
      durable: 'orders-PaymentVoided',
      type: 'souk.payments.v1.PaymentVoided',
      decode: PaymentVoided.fromJSON,
      handle: async (tx, events) => {
        const updates = events.map((event) => ({
          orderId: toVoidedOrder(event),
          fn: (order: Order) => losePayment(order, new Date()),
        }));
        await orders.updateIn(tx, updates, NO_LEASE);
      },
    }),
    new EventConsumer<PaymentRefunded>({
      ...parts,
      durable: 'orders-PaymentRefunded',
      type: 'souk.payments.v1.PaymentRefunded',
      decode: PaymentRefunded.fromJSON,
      handle: async (tx, events) => {
        const updates = events.map(toRefundedOrder).map(({ orderId, ...refund }) => ({
          orderId,
          fn: (order: Order) => refundOrder(order, refund, new Date()),
        }));
        await orders.updateIn(tx, updates, NO_LEASE);
      },
    }),
    new EventConsumer<EmailVerified>({
      ...parts,
      durable: 'orders-EmailVerified',
      type: 'souk.identity.v1.EmailVerified',
      decode: EmailVerified.fromJSON,
      handle: async (tx, events) => {
        for (const event of events) await giveOrders(tx, toProvedAddress(event));
      },
    }),
  ]);
}
