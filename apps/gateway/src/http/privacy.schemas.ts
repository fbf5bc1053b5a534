import { z } from 'zod';
import { emailSchema, idSchema, nextCursorSchema, pageQuery, timeSchema } from './fields.schemas.js';

/** Whose data is meant, as those who run the shop name them. */
export const personBody = z
  .strictObject({
    userId: idSchema.optional().meta({ description: 'Their account.' }),
    email: emailSchema.optional().meta({
      description: 'Their address, for who ordered as a guest. Make sure first that it is theirs.',
    }),
  })
  .refine(({ userId, email }) => (userId === undefined) !== (email === undefined), {
    message: 'name an account or an address, and not both',
  })
  .meta({ id: 'Person' });

export const exportSchema = z
  .object({
    exportedAt: timeSchema,
    records: z.array(
      z.object({
        kind: z.string().meta({ description: 'What it is.', example: 'order' }),
        data: z.record(z.string(), z.unknown()).meta({ description: 'The record.' }),
      }),
    ),
  })
  .meta({ id: 'PersonalDataExport', description: 'All that the shop keeps of a person.' });

export const erasureSchema = z
  .object({
    id: idSchema,
    state: z.enum(['ERASING', 'DONE', 'PARKED']).meta({
      description:
        '`ERASING` also while it waits for orders and mails that are under way; `PARKED` waits for operators.',
    }),
    pending: z.int().meta({ description: 'Orders, mails and the like that must come to their end first.' }),
    requestedAt: timeSchema,
    completedAt: timeSchema.optional(),
    certificate: z
      .string()
      .optional()
      .meta({ description: 'What became of the data, as a JWS (EdDSA); it names nobody. There once it is DONE.' }),
    certificateKey: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'The public key of the certificate, a JWK; while the key is in use also in the JWKS.' }),
    error: z.string().optional().meta({ description: 'What failed last.' }),
  })
  .meta({ id: 'Erasure', description: 'The erasure of a person from all services.' });

export const requestedErasureSchema = erasureSchema
  .extend({
    accessToken: z.string().optional().meta({
      description:
        'Opens the erasure without an account, as bearer token or `?accessToken=`; shown here and never again.',
    }),
    statusUrl: z.string().meta({ description: 'Where to ask how far it is.' }),
  })
  .meta({ id: 'RequestedErasure' });

export const listErasuresQuery = pageQuery;

export const erasurePageSchema = z
  .object({ items: z.array(erasureSchema), nextCursor: nextCursorSchema })
  .meta({ id: 'ErasurePage' });
