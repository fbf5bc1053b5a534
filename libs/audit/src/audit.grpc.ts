/** The only mapping between the record of who did what and its RPCs. */
import { Allow } from '@souk/auth';
import { invalid } from '@souk/errors';
import {
  AuditServiceService,
  type AuditRecord as RecordMessage,
  type ListRecordsRequest,
  type ListRecordsResponse,
  type RecordRefusalsRequest,
  type RecordRefusalsResponse,
  type Refusal,
  type VerifyChainRequest,
  type VerifyChainResponse,
} from '@souk/proto/audit/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import type { AuditFilter, AuditRow, Position } from './audit.store.js';
import type { AuditTrail } from './audit-trail.js';
import type { AuditRecord } from './record.js';
import { verifyChain } from './verify-chain.js';

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 500;
const MOST_REFUSALS = 500;
/** So long a call may take before it is told of as unfinished. */
const UNDER_WAY_MS = 10_000;
const TOKEN = /^(\d{1,15})-(\d{1,18})$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

@RpcController(AuditServiceService)
export class AuditGrpc implements Handlers<typeof AuditServiceService> {
  constructor(private readonly trail: AuditTrail) {}

  @Allow('audit:read', 'service:ops')
  async listRecords(request: ListRecordsRequest): Promise<ListRecordsResponse> {
    const limit = toPageSize(request.pageSize);
    const found = await this.trail.store.list(toFilter(request), limit + 1, toPosition(request.pageToken));
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return { records: page.map(toMessage), nextPageToken: last ? `${last.time.getTime()}-${last.seq}` : '' };
  }

  @Allow('audit:read', 'service:ops')
  async verifyChain({ knownSequence, knownHash }: VerifyChainRequest): Promise<VerifyChainResponse> {
    const published = knownSequence > 0n ? { seq: knownSequence, hash: knownHash } : undefined;
    const { verified, head, broken } = await verifyChain(this.trail.store, published);
    return {
      verified,
      headSequence: head.seq,
      headHash: head.hash,
      brokenSequence: broken?.seq ?? 0n,
      problem: broken?.problem ?? '',
      unfinished: await this.trail.store.unfinished(new Date(Date.now() - UNDER_WAY_MS)),
    };
  }

  @Allow('service:gateway')
  async recordRefusals({ refusals }: RecordRefusalsRequest): Promise<RecordRefusalsResponse> {
    if (refusals.length > MOST_REFUSALS) {
      throw invalid([{ field: 'refusals', description: `at most ${MOST_REFUSALS}` }]);
    }
    await this.trail.keep(refusals.map(fromRefusal));
    return {};
  }
}

function fromRefusal(refusal: Refusal, index: number): AuditRecord {
  const { recordId, time, route, principalKind, principalId, roles, sessionId, source, requestId, reason } = refusal;
  if (!UUID.test(recordId)) throw invalid([{ field: `refusals[${index}].record_id`, description: 'is no UUID' }]);
  return {
    id: recordId,
    callId: recordId,
    time: time ?? new Date(),
    service: 'gateway',
    action: route,
    principalKind,
    principalId,
    roles: roles.join(' '),
    sessionId,
    caller: '',
    source,
    requestId,
    objectType: '',
    objectId: '',
    outcome: 'denied',
    reason,
    count: refusal.count,
  };
}

function toMessage(row: AuditRow): RecordMessage {
  return {
    sequence: row.seq,
    callId: row.call_id,
    time: row.time,
    service: row.service,
    action: row.action,
    principalKind: row.principal_kind,
    principalId: row.principal_id,
    roles: row.roles === '' ? [] : row.roles.split(' '),
    sessionId: row.session_id,
    caller: row.caller,
    source: row.source,
    requestId: row.request_id,
    objectType: row.object_type,
    objectId: row.object_id,
    outcome: row.outcome,
    reason: row.reason,
    count: row.count,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}

function toFilter({ principalId, objectId, action, outcome, fromTime, toTime }: ListRecordsRequest): AuditFilter {
  const given = { principalId, objectId, action, outcome };
  const texts = Object.entries(given).filter(([, text]) => text !== '');
  const wrong = texts.find(([, text]) => text.includes('\0'));
  if (wrong) throw invalid([{ field: wrong[0], description: 'holds a character that no record has' }]);
  return { ...Object.fromEntries(texts), ...(fromTime && { from: fromTime }), ...(toTime && { to: toTime }) };
}

function toPageSize(pageSize: number): number {
  if (pageSize >= 0 && pageSize <= MAX_PAGE_SIZE) return pageSize || DEFAULT_PAGE_SIZE;
  throw invalid([{ field: 'page_size', description: `1 to ${MAX_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}` }]);
}

function toPosition(token: string): Position | undefined {
  if (token === '') return undefined;
  const [, time, seq] = TOKEN.exec(token) ?? [];
  if (time !== undefined && seq !== undefined) return { time: new Date(Number(time)), seq: BigInt(seq) };
  throw invalid([{ field: 'page_token', description: 'not a token of this list' }]);
}
