import { z } from 'zod';
import { idSchema, timeSchema } from './fields.schemas.js';

export const importAcceptedSchema = z.object({ id: idSchema }).meta({ id: 'ImportAccepted' });

export const importSchema = z
  .object({
    id: idSchema,
    state: z.enum(['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED']),
    rows: z.int().meta({ description: 'Rows read so far, without the header.' }),
    imported: z.int().meta({ description: 'Products that were added, changed or found unchanged.' }),
    created: z.int().meta({ description: 'Of these, products that were added.' }),
    updated: z.int().meta({ description: 'Of these, products that were changed.' }),
    variants: z.int().meta({ description: 'Variants in the imported products.' }),
    rejectedCount: z.int().meta({ description: 'Rows that were rejected in all.' }),
    rejected: z
      .array(
        z.object({
          row: z.int().meta({ description: 'Line in the file, the header being 1; 0 is the whole file.' }),
          reason: z.string().meta({ description: 'What is wrong, in a sentence.' }),
        }),
      )
      .meta({ description: 'The first 1,000 rejected rows.' }),
    sizeBytes: z.int().meta({ description: 'Bytes of the file.' }),
    readBytes: z.int().meta({ description: 'Bytes read so far.' }),
    createdAt: timeSchema,
    endedAt: timeSchema.optional().meta({ description: 'Absent while the import runs.' }),
  })
  .meta({ id: 'Import', description: 'How far the import of a product file is.' });
