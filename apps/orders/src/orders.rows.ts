/**
 * Orders as rows and back: the one mapping between the domain and the table. Amounts inside the documents are decimal
 * strings, since JSON numbers can't hold every int64.
 */
import { createHash } from 'node:crypto';
import { emailKey, tidyAddress } from '@souk/auth';
import type { Money } from '@souk/money';
import type { Address, Order, Rejection, SagaPhase, TimelineEntry } from './domain/order.js';
import type { OrderLine } from './domain/order-pricing.js';
import type { OrderState } from './domain/order-state.js';

interface LineDocument {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly price: string;
}

interface TimelineDocument {
  readonly kind: TimelineEntry['kind'];
  readonly time: string;
  readonly detail?: string;
}

/** The columns that change with an order. */
export interface OrderRow {
  readonly order_id: string;
  readonly number: string;
  readonly state: OrderState;
  readonly cancel_requested: boolean;
  readonly lines: readonly LineDocument[];
  readonly total_amount: bigint;
  readonly currency: string;
  readonly refunded_amount: bigint;
  readonly email: string;
  readonly shipping_address: Address;
  readonly payment_method: string;
  readonly payment_token: string;
  readonly client_digest: string;
  readonly customer_id: string | null;
  readonly cart_id: string | null;
  readonly rejection: Rejection | null;
  readonly timeline: readonly TimelineDocument[];
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly saga_phase: SagaPhase;
}

/** A row as JSON, for `json_populate_recordset`. */
export type RowDocument = Readonly<Record<string, unknown>>;

export function toRow(order: Order): RowDocument {
  return {
    order_id: order.orderId,
    number: order.number,
    state: order.state,
    cancel_requested: order.cancelRequested,
    lines: order.lines.map(toLineDocument),
    total_amount: order.total.amount.toString(),
    currency: order.total.currency,
    refunded_amount: order.refundedAmount.toString(),
    email: order.email,
    shipping_address: order.shippingAddress,
    payment_method: order.payment.method,
    payment_token: order.payment.token,
    client_digest: order.payment.clientDigest,
    customer_id: order.customerId ?? null,
    cart_id: order.cartId ?? null,
    rejection: order.rejection ?? null,
    timeline: order.timeline,
    version: order.version,
    created_at: order.createTime,
    updated_at: order.updateTime,
    saga_phase: order.phase,
  };
}

export function toOrder(row: OrderRow): Order {
  const { currency } = row;
  return {
    orderId: row.order_id,
    number: row.number,
    state: row.state,
    phase: row.saga_phase,
    cancelRequested: row.cancel_requested,
    lines: row.lines.map((line) => toLine(line, currency)),
    total: { amount: row.total_amount, currency },
    refundedAmount: row.refunded_amount,
    email: row.email,
    shippingAddress: row.shipping_address,
    payment: { method: row.payment_method, token: row.payment_token, clientDigest: row.client_digest },
    ...(row.customer_id && { customerId: row.customer_id }),
    ...(row.cart_id && { cartId: row.cart_id }),
    ...(row.rejection && { rejection: row.rejection }),
    timeline: row.timeline.map((entry) => ({ ...entry, time: new Date(entry.time) })),
    version: row.version,
    createTime: row.created_at,
    updateTime: row.updated_at,
  };
}

/** Tells carts of one customer apart by what is in them; null where there is nothing to tell apart. */
export function linesDigest({ customerId, cartId, lines }: Order): string | null {
  if (!customerId || !cartId) return null;
  const quantities = lines.map(({ sku, quantity }) => [sku, quantity] as const);
  const sorted = quantities.sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url');
}

/** By which a guest's order is found for whoever proves its address; empty, which finds nothing, where that is not written to. */
export function guestKey({ customerId, email }: Order): string | null {
  if (customerId) return null;
  return tidyAddress(email) === email ? emailKey(email) : '';
}

function toLineDocument(line: OrderLine): LineDocument {
  return { sku: line.sku, title: line.title, quantity: line.quantity, price: line.unitPrice.amount.toString() };
}

function toLine({ sku, title, quantity, price }: LineDocument, currency: string): OrderLine {
  const unitPrice: Money = { amount: BigInt(price), currency };
  return { sku, title, quantity, unitPrice, total: { amount: unitPrice.amount * BigInt(quantity), currency } };
}
