import { z } from 'zod';
import { addressInput, addressSchema } from './addresses.schemas.js';
import {
  emailSchema,
  idSchema,
  moneySchema,
  nextCursorSchema,
  pageQuery,
  priceSchema,
  skuSchema,
  timeSchema,
  versionSchema,
} from './fields.schemas.js';

export const orderStates = ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED', 'FULFILLED', 'REFUNDED'] as const;
const stateSchema = z.enum(orderStates).meta({ id: 'OrderState', description: 'Where an order stands.' });

const paymentInput = z
  .strictObject({
    method: z
      .enum(['card', 'manual'])
      .meta({ description: '`manual` is an invoice or payment on delivery.', example: 'card' }),
    token: z
      .string()
      .max(255)
      .optional()
      .meta({ description: "What the provider's form returned for the card.", example: 'pm_card_visa' }),
  })
  .refine(({ method, token }) => method !== 'card' || (token !== undefined && token !== ''), {
    path: ['token'],
    message: 'is missing: a card needs one',
  })
  .meta({ id: 'PaymentInput', description: 'How to pay.' });

const lineInput = z
  .strictObject({
    sku: skuSchema,
    quantity: z.int().min(1).max(10_000).meta({ description: 'Units.', example: 2 }),
  })
  .meta({ id: 'OrderLineInput' });

export const placeOrderBody = z
  .strictObject({
    lines: z.array(lineInput).min(1).max(100).optional().meta({ description: 'What to buy, in place of `cartId`.' }),
    cartId: idSchema.optional().meta({ description: 'Cart to buy, in place of `lines`.' }),
    email: emailSchema.meta({ description: 'Address that mails go to.' }),
    shippingAddress: addressInput,
    payment: paymentInput,
    expectedTotal: priceSchema
      .optional()
      .meta({ description: 'The total that the buyer was shown. Where it is another one by now, nothing is placed.' }),
  })
  .refine(({ lines, cartId }) => (lines === undefined) !== (cartId === undefined), {
    path: ['lines'],
    message: 'either lines or cartId says what to buy, not both',
    // Told together with the other wrong fields.
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  })
  .meta({ id: 'PlaceOrderRequest' });

export const fulfillBody = z
  .strictObject({
    tracking: z.string().max(500).optional().meta({ description: "Carrier's tracking number or address." }),
  })
  .optional()
  .meta({ id: 'FulfillOrderRequest' });

export const listOrdersQuery = pageQuery.extend({ state: z.enum(orderStates).optional() });

export const orderLineSchema = z
  .object({
    sku: skuSchema,
    title: z.string().meta({ example: 'Brass lantern' }),
    quantity: z.int().meta({ example: 2 }),
    unitPrice: moneySchema,
    total: moneySchema,
  })
  .meta({ id: 'OrderLine' });

export const shortageSchema = z
  .object({ sku: skuSchema, requested: z.int().meta({ example: 5 }), available: z.int().meta({ example: 3 }) })
  .meta({ id: 'Shortage', description: 'A SKU of which there were too few.' });

const rejectionSchema = z
  .object({
    reason: z.string().meta({ description: '`STOCK_SHORT`, `PAYMENT_DECLINED` or `PAYMENT_ATTEMPTS_EXCEEDED`.' }),
    message: z.string(),
    shortages: z.array(shortageSchema).optional(),
    declineCode: z.string().optional().meta({ example: 'insufficient_funds' }),
  })
  .meta({ id: 'Rejection', description: 'Why an order was refused.' });

export const orderSchema = z
  .object({
    id: idSchema,
    number: z.string().meta({ description: 'Short number for people.', example: 'S7K2-M9QX' }),
    state: stateSchema,
    lines: z.array(orderLineSchema),
    total: moneySchema,
    refunded: moneySchema.meta({ description: 'Given back so far.' }),
    email: z.string(),
    shippingAddress: addressSchema,
    paymentMethod: z.string().meta({ example: 'card' }),
    customerId: idSchema.optional().meta({ description: 'Customer who ordered; absent for a guest.' }),
    cartId: idSchema.optional(),
    rejection: rejectionSchema.optional(),
    version: versionSchema,
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Order', description: 'What a customer bought.' });

export const placedOrderSchema = orderSchema
  .extend({
    accessToken: z
      .string()
      .optional()
      .meta({ description: 'Lets a guest read and cancel this order, as the bearer token; keep it secret.' }),
  })
  .meta({ id: 'PlacedOrder', description: 'The order as far as it got.' });

export const orderPageSchema = z
  .object({ items: z.array(orderSchema), nextCursor: nextCursorSchema })
  .meta({ id: 'OrderPage' });

const TIMELINE_KINDS =
  'PLACED, STOCK_HELD, STOCK_SHORT, PAYMENT_AUTHORIZED, PAYMENT_DECLINED, PAYMENT_ATTEMPTS_EXCEEDED, CONFIRMED, REJECTED, CANCEL_REQUESTED, CANCELLED, ' +
  'PAYMENT_RETURNED, STOCK_RELEASED, FULFILLED, PAYMENT_LOST, REFUNDED; there may be more one day.';

export const timelineSchema = z
  .object({
    items: z.array(
      z.object({
        kind: z.string().meta({ description: TIMELINE_KINDS, example: 'PAYMENT_AUTHORIZED' }),
        time: timeSchema,
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'OrderTimeline', description: 'What happened to an order, oldest first.' });

export const claimedOrdersSchema = z
  .object({ claimed: z.int().meta({ description: 'How many orders came by this request.', example: 2 }) })
  .meta({ id: 'ClaimedOrders' });
