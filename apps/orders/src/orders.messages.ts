/** Orders and carts as messages of the contract: the one mapping from the domain, for answers and events alike. */
import type {
  Cart as CartMessage,
  Order as OrderMessage,
  OrderLine as LineMessage,
  Rejection as RejectionMessage,
} from '@souk/proto/orders/v1';
import type { PricedCart } from './domain/cart.js';
import type { Order, Rejection } from './domain/order.js';
import type { OrderLine } from './domain/order-pricing.js';

export function toOrderMessage(order: Order): OrderMessage {
  return {
    orderId: order.orderId,
    number: order.number,
    state: `STATE_${order.state}`,
    lines: order.lines.map(toLineMessage),
    total: order.total,
    refundedAmount: order.refundedAmount,
    email: order.email,
    shippingAddress: order.shippingAddress,
    paymentMethod: order.payment.method,
    customerId: order.customerId ?? '',
    cartId: order.cartId ?? '',
    rejection: order.rejection && toRejectionMessage(order.rejection),
    timeline: order.timeline.map(({ kind, time, detail }) => ({ kind, time, detail: detail ?? '' })),
    version: order.version,
    createTime: order.createTime,
    updateTime: order.updateTime,
  };
}

export function toCartMessage(cart: PricedCart): CartMessage {
  return {
    cartId: cart.cartId,
    lines: cart.pricedLines.map(toLineMessage),
    total: cart.total,
    unavailableSkus: [...cart.unavailableSkus],
    orderId: cart.orderId ?? '',
    version: cart.version,
    createTime: cart.createTime,
    updateTime: cart.updateTime,
  };
}

function toLineMessage({ sku, title, quantity, unitPrice, total }: OrderLine): LineMessage {
  return { sku, title, quantity, unitPrice, total };
}

function toRejectionMessage(rejection: Rejection): RejectionMessage {
  return {
    reason: rejection.reason,
    message: rejection.message,
    shortages: rejection.reason === 'STOCK_SHORT' ? rejection.shortages.map((shortage) => ({ ...shortage })) : [],
    declineCode: rejection.reason === 'PAYMENT_DECLINED' ? rejection.declineCode : '',
    retryTime: rejection.reason === 'PAYMENT_ATTEMPTS_EXCEEDED' ? new Date(rejection.retryTime) : undefined,
  };
}
