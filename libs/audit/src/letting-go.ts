// That the oldest records were let go is a record itself. Guarantees: what is kept can be verified as before, and that the beginning
// is missing without such a record is found.
import { randomUUID } from 'node:crypto';
import type { AuditRecord } from './record.js';

/** Action of the records that say so. */
export const LET_GO = 'audit/LetGo';

interface Place {
  readonly seq: bigint;
  readonly hash: string;
}

/** @param last the newest record that goes */
export function lettingGo(service: string, last: Place): AuditRecord {
  const id = randomUUID();
  const nobody = { roles: '', sessionId: '', caller: '', source: '', requestId: '' };
  const who = { ...nobody, principalKind: 'service', principalId: service };
  const what = {
    action: LET_GO,
    objectType: 'record',
    objectId: String(last.seq),
    outcome: 'allowed',
    reason: last.hash,
  };
  return { ...who, ...what, id, callId: id, time: new Date(), service, count: 1 };
}
