import { z } from 'zod';
import {
  cursorSchema,
  limitSchema,
  nextCursorSchema,
  reasonSchema,
  skuSchema,
  timeSchema,
  versionSchema,
} from './fields.schemas.js';

export const setStockBody = z
  .strictObject({
    onHand: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .meta({ description: 'Units on the shelf, held ones included.', example: 25 }),
  })
  .meta({ id: 'SetStockRequest' });

export const adjustStockBody = z
  .strictObject({
    delta: z
      .int()
      .min(-1_000_000_000)
      .max(1_000_000_000)
      .refine((delta) => delta !== 0, 'is 0')
      .meta({ description: 'Units that came in, or went where it is negative; never 0.', example: 12 }),
    reason: reasonSchema.optional(),
  })
  .meta({ id: 'AdjustStockRequest' });

export const stockSchema = z
  .object({
    sku: skuSchema,
    onHand: z.int().meta({ description: 'Units on the shelf, held ones included.', example: 25 }),
    held: z.int().meta({ description: 'Units held for orders and carts.', example: 3 }),
    available: z.int().meta({ description: 'Units that can be sold.', example: 22 }),
    version: versionSchema,
  })
  .meta({ id: 'Stock', description: 'The stock of one SKU.' });

export const listMovementsQuery = z.object({ limit: limitSchema, cursor: cursorSchema });

const movementSchema = z
  .object({
    id: z.string().meta({ example: '4711' }),
    sku: skuSchema,
    kind: z.enum(['OPENED', 'COUNTED', 'HELD', 'RELEASED', 'SOLD', 'RETURNED', 'ADJUSTED']),
    onHandDelta: z.int().meta({ description: 'Change of the units on hand.', example: 0 }),
    heldDelta: z.int().meta({ description: 'Change of the units held.', example: 2 }),
    cause: z.string().meta({ description: 'The order, cart, request or event that caused it.' }),
    time: timeSchema,
  })
  .meta({ id: 'StockMovement', description: 'One change of the stock of one SKU.' });

export const movementPageSchema = z
  .object({ items: z.array(movementSchema), nextCursor: nextCursorSchema })
  .meta({ id: 'StockMovementPage' });
