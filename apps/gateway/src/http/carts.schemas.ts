import { z } from 'zod';
import { idSchema, moneySchema, timeSchema, versionSchema } from './fields.schemas.js';
import { orderLineSchema } from './orders.schemas.js';

export const setLineBody = z
  .strictObject({
    quantity: z.int().min(0).max(10_000).meta({ description: 'Units; 0 takes the line out.', example: 2 }),
  })
  .meta({ id: 'SetCartLineRequest' });

export const cartSchema = z
  .object({
    id: idSchema.meta({ description: "Who knows a guest's cart's identifier may use it." }),
    lines: z.array(orderLineSchema),
    total: moneySchema.nullable().meta({ description: 'Sum of the lines; null while there are none.' }),
    unavailableSkus: z
      .array(z.string())
      .meta({ description: 'SKUs that are no longer on sale; they are not in `lines`.' }),
    orderId: idSchema.optional().meta({ description: 'Order that the cart became.' }),
    version: versionSchema,
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Cart', description: "A cart at today's prices." });

export const cartHoldSchema = z
  .object({ expiresAt: timeSchema.meta({ description: 'When the hold ends by itself.' }) })
  .meta({ id: 'CartHold', description: 'The stock of a cart is held.' });
