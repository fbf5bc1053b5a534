import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { AuditClients, type AuditEntry } from '../audit-clients.js';
import { Access } from './access.js';
import { Answers } from './api-docs.js';
import { auditPageSchema, auditQuery, type auditRecordSchema } from './audit.schemas.js';
import { nextCursorView, timeView } from './fields.view.js';

/** Who did what. */
@ApiTags('Audit')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditClients) {}

  @Get()
  @Access('audit:read')
  @ApiOperation({
    summary: 'List who did what, and what was refused, newest first',
    description: 'The records of all services as one list. Each service chains its own by hashes.',
  })
  @Answers(200, 'A page of records.', auditPageSchema)
  async list(
    @Query({ schema: auditQuery }) query: z.infer<typeof auditQuery>,
  ): Promise<z.infer<typeof auditPageSchema>> {
    const { who, object, action, outcome = '', from, to, limit } = query;
    const times = { fromTime: from ? new Date(from) : undefined, toTime: to ? new Date(to) : undefined };
    const filter = { principalId: who, objectId: object, action, outcome, ...times, pageSize: limit };
    const { entries, cursor } = await this.audit.list(filter, query.cursor);
    return { items: entries.map(recordView), nextCursor: nextCursorView(cursor) };
  }
}

type RecordView = z.infer<typeof auditRecordSchema>;

function recordView(entry: AuditEntry): RecordView {
  const { chain, service, action, requestId, reason, count, hash, objectType, objectId } = entry;
  return {
    chain,
    sequence: Number(entry.sequence),
    call: entry.callId,
    time: timeView(entry.time),
    service,
    action,
    who: {
      kind: entry.principalKind,
      id: entry.principalId || null,
      roles: entry.roles,
      session: entry.sessionId || null,
    },
    source: entry.source || null,
    requestId,
    object: objectId ? { type: objectType, id: objectId } : null,
    outcome: entry.outcome as RecordView['outcome'],
    reason,
    count,
    hash,
  };
}
