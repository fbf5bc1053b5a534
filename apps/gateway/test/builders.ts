import type { Product, Variant } from '@souk/proto/catalog/v1';
import type { Cart, Order, PlaceOrderResponse } from '@souk/proto/orders/v1';
import type { Payment, Refund } from '@souk/proto/payments/v1';

export const ORDER_ID = '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a60';
export const CART_ID = '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a61';
export const USER_ID = '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a62';
export const REFUND_ID = '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a64';
export const NOON = new Date('2026-03-01T12:00:00.000Z');

const usd = (amount: bigint) => ({ amount, currency: 'USD' });

export function anOrder(changes: Partial<Order> = {}): Order {
  return {
    orderId: ORDER_ID,
    number: 'S7K2-M9QX',
    state: 'STATE_CONFIRMED',
    lines: [{ sku: 'LANTERN', title: 'Brass lantern', quantity: 2, unitPrice: usd(1999n), total: usd(3998n) }],
    total: usd(3998n),
    email: 'noor@example.com',
    shippingAddress: {
      name: 'Noor',
      line1: '12 Lane',
      line2: '',
      city: 'Leipzig',
      region: '',
      postalCode: '04109',
      country: 'DE',
    },
    paymentMethod: 'card',
    customerId: '',
    cartId: '',
    rejection: undefined,
    timeline: [{ kind: 'PLACED', time: NOON, detail: '' }],
    version: 2,
    createTime: NOON,
    updateTime: NOON,
    refundedAmount: 0n,
    ...changes,
  };
}

export function placed(changes: Partial<Order> = {}, replayed = false): PlaceOrderResponse {
  return { order: anOrder(changes), accessToken: 'guest-token', replayed };
}

export function aVariant(sku: string): Variant {
  return { sku, title: sku, options: [], price: usd(1999n), compareAtPrice: undefined, barcode: '', grams: 0 };
}

export function aProduct(changes: Partial<Product> = {}): Product {
  return {
    productId: '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a63',
    slug: 'brass-lantern',
    title: 'Brass lantern',
    descriptionHtml: '',
    vendor: '',
    productType: '',
    tags: [],
    categories: [],
    images: [],
    variants: [aVariant('LANTERN'), aVariant('LANTERN-XL')],
    version: 7,
    createTime: NOON,
    updateTime: NOON,
    ...changes,
  };
}

export function aCart(changes: Partial<Cart> = {}): Cart {
  return {
    cartId: CART_ID,
    lines: [],
    total: undefined,
    unavailableSkus: [],
    orderId: '',
    version: 1,
    createTime: NOON,
    updateTime: NOON,
    ...changes,
  };
}

export function aPayment(changes: Partial<Payment> = {}): Payment {
  return {
    paymentId: '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a65',
    orderId: ORDER_ID,
    state: 'STATE_CAPTURED',
    amount: usd(3998n),
    capturedAmount: 3998n,
    refundedAmount: 0n,
    disputedAmount: 0n,
    method: 'card',
    providerReference: 'pi_1',
    declineCode: '',
    captures: [],
    refunds: [],
    version: 3,
    createTime: NOON,
    updateTime: NOON,
    retryTime: undefined,
    ...changes,
  };
}

export function aRefund(changes: Partial<Refund> = {}): Refund {
  return {
    refundId: REFUND_ID,
    amount: 500n,
    state: 'STATE_SUCCEEDED',
    reason: 'Torn.',
    createTime: NOON,
    ...changes,
  };
}

/** The body of a good order. */
export function orderBody(): Record<string, unknown> {
  return {
    lines: [{ sku: 'LANTERN', quantity: 2 }],
    email: 'noor@example.com',
    shippingAddress: { name: 'Noor', line1: '12 Lane', city: 'Leipzig', postalCode: '04109', country: 'DE' },
    payment: { method: 'card', token: 'pm_card_visa' },
  };
}
