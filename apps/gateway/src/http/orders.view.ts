/** Orders between REST and the messages of the orders service. */
import type { Order, OrderLine, PlaceOrderRequest, Rejection } from '@souk/proto/orders/v1';
import type { z } from 'zod';
import { addressView, toAddress } from './addresses.view.js';
import { enumView, moneyView, present, required, timeView } from './fields.view.js';
import type { orderLineSchema, orderSchema, placeOrderBody, timelineSchema } from './orders.schemas.js';
import { ProblemError } from './problem.js';

export type OrderView = z.infer<typeof orderSchema>;
type LineView = z.infer<typeof orderLineSchema>;

export function orderView(order: Order): OrderView {
  const total = required(order.total);
  return {
    id: order.orderId,
    number: order.number,
    state: enumView('STATE_', order.state) as OrderView['state'],
    lines: order.lines.map(lineView),
    total: moneyView(total),
    refunded: moneyView({ ...total, amount: order.refundedAmount }),
    email: order.email,
    shippingAddress: addressView(required(order.shippingAddress)),
    paymentMethod: order.paymentMethod,
    ...present('customerId', order.customerId),
    ...present('cartId', order.cartId),
    ...(order.rejection ? { rejection: rejectionView(order.rejection) } : {}),
    version: order.version,
    createdAt: timeView(order.createTime),
    updatedAt: timeView(order.updateTime),
  };
}

export function lineView(line: OrderLine): LineView {
  const { sku, title, quantity } = line;
  return {
    sku,
    title,
    quantity,
    unitPrice: moneyView(required(line.unitPrice)),
    total: moneyView(required(line.total)),
  };
}

function rejectionView({ reason, message, shortages, declineCode }: Rejection): NonNullable<OrderView['rejection']> {
  return {
    reason,
    message,
    ...(shortages.length > 0 ? { shortages: shortages.map(shortageView) } : {}),
    ...present('declineCode', declineCode),
  };
}

function shortageView({ sku, requested, available }: Rejection['shortages'][number]) {
  return { sku, requested, available };
}

export function timelineView(order: Order): z.infer<typeof timelineSchema> {
  return { items: order.timeline.map(({ kind, time, detail }) => ({ kind, time: timeView(time), detail })) };
}

/** The problem that a refused order is answered with: 409 where stock is short, 402 or 429 where the payment failed. */
export function rejectionProblem(order: Order): ProblemError {
  const { reason, message, shortages, declineCode, retryTime } = required(order.rejection);
  const seconds = retryTime && Math.max(1, Math.ceil((retryTime.getTime() - Date.now()) / 1000));
  return new ProblemError(
    { kind: 'refused', reason, message, ...(seconds && { metadata: { retry_after: String(seconds) } }) },
    {
      orderId: order.orderId,
      ...(reason === 'STOCK_SHORT' ? { shortages: shortages.map(shortageView) } : {}),
      ...present('declineCode', declineCode),
    },
  );
}

export function toPlaceOrder(
  requestId: string,
  body: z.infer<typeof placeOrderBody>,
  clientAddress: string,
): PlaceOrderRequest {
  const { method, token = '' } = body.payment;
  const { expectedTotal } = body;
  return {
    requestId,
    lines: body.lines ?? [],
    cartId: body.cartId ?? '',
    email: body.email,
    shippingAddress: toAddress(body.shippingAddress),
    payment: { method, token: method === 'card' ? token : '' },
    clientAddress,
    expectedTotal: expectedTotal && { ...expectedTotal, amount: BigInt(expectedTotal.amount) },
  };
}
