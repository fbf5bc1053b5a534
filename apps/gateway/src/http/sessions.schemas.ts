import { z } from 'zod';
import { idSchema, timeSchema } from './fields.schemas.js';

const openSessionSchema = z
  .object({
    id: idSchema,
    address: z
      .string()
      .optional()
      .meta({ description: 'IP address that it was used from last.', example: '192.0.2.7' }),
    userAgent: z
      .string()
      .optional()
      .meta({ description: 'The browser or program, as it called itself.', example: 'Mozilla/5.0' }),
    current: z.boolean().meta({ description: 'Whether it is the one that asks.' }),
    createdAt: timeSchema.meta({ description: 'When the person logged in.' }),
    lastUsedAt: timeSchema.meta({ description: 'Give or take the lifetime of an access token.' }),
    expiresAt: timeSchema.meta({ description: 'When it ends if it is not used.' }),
  })
  .meta({ id: 'OpenSession', description: 'Where somebody is logged in.' });

export const openSessionsSchema = z.object({ items: z.array(openSessionSchema) }).meta({ id: 'OpenSessions' });

export const endedSessionsSchema = z
  .object({ ended: z.int().meta({ description: 'How many sessions ended.', example: 2 }) })
  .meta({ id: 'EndedSessions' });
