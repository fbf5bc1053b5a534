import { z } from 'zod';
import { limitSchema, nextCursorSchema, timeSchema } from './fields.schemas.js';

const text = (description: string, example: string) => z.string().max(254).default('').meta({ description, example });
const time = (description: string) => z.iso.datetime({ offset: true }).optional().meta({ description });
const outcomes = ['asked', 'allowed', 'denied', 'failed'] as const;

export const auditQuery = z.object({
  who: text('Identifier of a user or client, or name of a service.', '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a60'),
  object: text('Identifier of what it was done to, or an e-mail address.', '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a60'),
  action: text(
    'Name of an RPC, in full or what stands after its slash; or a route that the gateway refused.',
    'RefundPayment',
  ),
  outcome: z
    .enum([...outcomes, 'unfinished'])
    .optional()
    .meta({ description: '`unfinished`: only `asked` is kept of the call; it is under way, or its process died.' }),
  from: time('Records of this time or later.'),
  to: time('Records from before this time.'),
  limit: limitSchema,
  cursor: z
    .string()
    .max(2_000)
    .default('')
    .meta({ description: '`nextCursor` of the page before; absent for the first page.' }),
});

const whoSchema = z.object({
  kind: z.string().meta({ description: '`user`, `client`, `service` or `guest`.', example: 'user' }),
  id: z.string().nullable().meta({ description: 'Identifier; name of a service; null for a guest.' }),
  roles: z.array(z.string()).meta({ description: 'Roles of a user, permissions of a client.', example: ['staff'] }),
  session: z.string().nullable().meta({ description: 'Session of a user.' }),
});

export const auditRecordSchema = z
  .object({
    chain: z.string().meta({ description: 'Service that keeps the record.', example: 'payments' }),
    sequence: z.int().meta({ description: 'Place in the chain of that service.', example: 42 }),
    call: z.string().meta({ description: 'What all records of one call have in common.' }),
    time: timeSchema,
    service: z.string().meta({ description: 'Service that was asked.', example: 'payments' }),
    action: z.string().meta({ example: 'souk.payments.v1.PaymentsService/RefundPayment' }),
    who: whoSchema,
    source: z.string().nullable().meta({ description: 'Address that the request came from.', example: '192.0.2.7' }),
    requestId: z.string(),
    object: z
      .object({ type: z.string().meta({ example: 'order' }), id: z.string() })
      .nullable()
      .meta({ description: 'What it was done to, where that is known. Of an e-mail address, a keyed digest.' }),
    outcome: z.enum(outcomes).meta({ description: '`asked` before privileged work, then how it ended.' }),
    reason: z
      .string()
      .meta({ description: 'Rule that let the call in, or why it was refused.', example: 'orders:refund' }),
    count: z.int().meta({ description: 'Calls that it stands for.', example: 1 }),
    hash: z.string().meta({ description: 'SHA-256 of the record and of the hash before.' }),
  })
  .meta({ id: 'AuditRecord', description: 'One thing that somebody did, or was not let do.' });

export const auditPageSchema = z
  .object({ items: z.array(auditRecordSchema), nextCursor: nextCursorSchema })
  .meta({ id: 'AuditPage' });
