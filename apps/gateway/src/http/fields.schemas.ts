/** Fields that several resources share. */
import { z } from 'zod';

export const moneySchema = z
  .object({
    amount: z
      .int()
      .meta({ description: 'Minor units, for example cents: 1999 is 19.99 USD and 1999 JPY.', example: 1999 }),
    currency: z.string().meta({ description: 'ISO 4217 code.', example: 'USD' }),
  })
  .meta({ id: 'Money', description: 'An amount of money as a whole number of minor units.' });

export const priceSchema = z
  .strictObject({
    amount: z.int().min(0).meta({ description: 'Minor units, for example cents.', example: 1999 }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'is an ISO 4217 code in capitals')
      .meta({ example: 'USD' }),
  })
  .meta({ id: 'Price', description: 'A price as a whole number of minor units.' });

export const idSchema = z
  .guid('is not a UUID')
  .meta({ description: 'Identifier.', example: '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a60' });

export const skuSchema = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'Stock-keeping unit.', example: 'LANTERN-BRASS' });

export const reasonSchema = z
  .string()
  .max(200)
  .meta({ description: 'Why, in a sentence for people.', example: 'Broken in transit.' });

export const versionSchema = z.int().meta({ description: 'Grows by one with each change.', example: 1 });

export const timeSchema = z.iso.datetime().meta({ example: '2026-03-01T12:00:00.000Z' });

export const emailSchema = z
  .email('is not an e-mail address')
  .max(254)
  .meta({ description: 'E-mail address.', example: 'noor@example.com' });

export const limitSchema = z.coerce
  .number('is not a number')
  .int()
  .min(1)
  .max(100)
  .default(20)
  .meta({ description: 'Most items on the page.', example: 20 });

export const cursorSchema = z
  .string()
  .max(1_000)
  .default('')
  .meta({ description: '`nextCursor` of the page before; absent for the first page.' });

export const pageQuery = z.object({ limit: limitSchema, cursor: cursorSchema });

export const nextCursorSchema = z
  .string()
  .nullable()
  .meta({ description: 'Give it as `cursor` for the next page; null on the last.', example: null });

export const problemSchema = z
  .looseObject({
    type: z
      .string()
      .meta({ description: 'Names the kind of problem.', example: 'https://souk.dev/problems/stock-short' }),
    title: z.string().meta({ description: 'The kind of problem in words.', example: 'Stock short' }),
    status: z.int().meta({ description: 'HTTP status.', example: 409 }),
    detail: z.string().meta({ description: 'What went wrong, in a sentence for people.' }),
    reason: z.string().meta({ description: 'What went wrong, for programs; stable.', example: 'STOCK_SHORT' }),
    requestId: z.string().meta({ description: 'Finds the request in the logs.' }),
    retryAfter: z
      .int()
      .optional()
      .meta({ description: 'Seconds to wait before trying again, where that is known.', example: 30 }),
    errors: z
      .array(
        z.object({
          field: z.string().meta({ description: 'Path of the field.', example: 'lines[0].quantity' }),
          message: z.string().meta({ description: 'What is wrong with it.', example: 'is missing' }),
        }),
      )
      .optional()
      .meta({ description: 'One entry for each field that is wrong.' }),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457); some reasons add fields of their own.' });
