import { z } from 'zod';
import { idSchema, moneySchema, reasonSchema, timeSchema, versionSchema } from './fields.schemas.js';

const partSchema = (whole: string) =>
  z
    .int()
    .min(1)
    .optional()
    .meta({ description: `Minor units of the order's currency; ${whole} where absent.`, example: 500 });

export const captureBody = z
  .strictObject({
    amount: partSchema('all that is left of the authorisation'),
    moreToCome: z.boolean().optional().meta({
      description: 'Whether more will be taken later; otherwise what is left of the authorisation is let go.',
    }),
  })
  .optional()
  .meta({ id: 'CaptureRequest' });

export const refundBody = z
  .strictObject({ amount: partSchema('all that is left of what was taken'), reason: reasonSchema.optional() })
  .optional()
  .meta({ id: 'RefundRequest' });

const captureSchema = z
  .object({
    sequence: z.int().meta({ description: '1 for the first of the payment.', example: 1 }),
    amount: moneySchema,
    done: z.boolean().meta({ description: "False while the provider's answer is not known." }),
    createdAt: timeSchema,
  })
  .meta({ id: 'Capture', description: 'One taking of authorised money.' });

export const refundSchema = z
  .object({
    id: idSchema,
    amount: moneySchema,
    state: z.enum(['PROCESSING', 'SUCCEEDED', 'FAILED']),
    reason: z.string().optional(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Refund', description: 'One giving back of money.' });

export const paymentSchema = z
  .object({
    id: idSchema,
    orderId: idSchema,
    state: z.enum(['PROCESSING', 'AUTHORIZED', 'DECLINED', 'CAPTURED', 'VOIDED', 'REFUNDED']),
    amount: moneySchema,
    captured: moneySchema.meta({ description: 'Taken so far.' }),
    refunded: moneySchema.meta({ description: 'Given back so far.' }),
    disputed: moneySchema.meta({ description: "What the customer's bank took back or wants back." }),
    captures: z.array(captureSchema).meta({ description: 'In the order of taking.' }),
    refunds: z.array(refundSchema).meta({ description: 'In the order of asking.' }),
    method: z.string().meta({ example: 'card' }),
    providerReference: z.string().optional().meta({ description: "Provider's identifier." }),
    declineCode: z
      .string()
      .optional()
      .meta({ description: 'Why the provider refused.', example: 'insufficient_funds' }),
    version: versionSchema,
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Payment', description: 'The money of one order.' });

export const webhookReceivedSchema = z.object({ received: z.literal(true) }).meta({ id: 'WebhookReceived' });
