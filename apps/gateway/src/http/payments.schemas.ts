import { z } from 'zod';
import { idSchema, moneySchema, timeSchema, versionSchema } from './fields.schemas.js';

export const paymentSchema = z
  .object({
    id: idSchema,
    orderId: idSchema,
    state: z.enum(['PROCESSING', 'AUTHORIZED', 'DECLINED', 'CAPTURED', 'VOIDED', 'REFUNDED']),
    amount: moneySchema,
    captured: moneySchema.meta({ description: 'Taken so far.' }),
    refunded: moneySchema.meta({ description: 'Given back so far.' }),
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
