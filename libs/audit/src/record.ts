// A record and its hash. Guarantees: the hash covers every field and the hash before, in one canonical form; what is kept is
// identifiers, names of Souk's own and addresses of machines, and where an e-mail address would stand, a keyed digest.
import { createHash, createHmac } from 'node:crypto';
import type { Principal } from '@souk/auth';
import { emailKey } from '@souk/auth';

/** What is kept of one call, before it has its place in the chain. */
export interface AuditRecord {
  /** One record is kept once, however often it is handed over. That of the first record of a call is the call's. */
  readonly id: string;
  readonly callId: string;
  readonly time: Date;
  readonly service: string;
  readonly action: string;
  readonly principalKind: string;
  readonly principalId: string;
  /** Separated by spaces. */
  readonly roles: string;
  readonly sessionId: string;
  readonly caller: string;
  readonly source: string;
  readonly requestId: string;
  readonly objectType: string;
  readonly objectId: string;
  readonly outcome: string;
  readonly reason: string;
  /** Calls that it stands for. */
  readonly count: number;
}

/** Who did it, as it is kept. */
export type Actor = Pick<AuditRecord, 'principalKind' | 'principalId' | 'roles' | 'sessionId'>;

const FORM = 1;
const WORD = /^[\w.:+/~ -]*$/;
const LONGEST = 200;

/** SHA-256 of a record at its place, in hexadecimal. */
export function hashOf(record: AuditRecord, seq: bigint, previousHash: string): string {
  const { id, callId, time, service, action, principalKind, principalId, roles, sessionId } = record;
  const { caller, source, requestId, objectType, objectId, outcome, reason, count } = record;
  const who = [principalKind, principalId, roles, sessionId, caller, source];
  const what = [service, action, objectType, objectId, outcome, reason, count];
  const fields = [FORM, String(seq), previousHash, id, callId, time.toISOString(), requestId, ...who, ...what];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

export function actorOf(principal: Principal, caller = ''): Actor {
  switch (principal.kind) {
    case 'user': {
      const { userId, roles, sessionId } = principal;
      return { principalKind: 'user', principalId: userId, roles: roles.join(' '), sessionId };
    }
    case 'client': {
      const { clientId, permissions } = principal;
      return { principalKind: 'client', principalId: clientId, roles: permissions.join(' '), sessionId: '' };
    }
    case 'enrolling': {
      const { userId, sessionId } = principal;
      return { principalKind: 'user', principalId: userId, roles: '', sessionId };
    }
    case 'guest':
      return caller === '' || caller === 'gateway'
        ? { principalKind: 'guest', principalId: '', roles: '', sessionId: '' }
        : { principalKind: 'service', principalId: caller, roles: '', sessionId: '' };
  }
}

/** The record without anything that people could have written into it. */
export function cleaned(record: AuditRecord, digestKey: string): AuditRecord {
  return {
    ...record,
    principalId: word(record.principalId, digestKey),
    roles: word(record.roles, digestKey),
    sessionId: word(record.sessionId, digestKey),
    requestId: word(record.requestId, digestKey),
    objectId: record.objectType === 'email' ? digest(record.objectId, digestKey) : word(record.objectId, digestKey),
  };
}

/** By which a record about an e-mail address is found, and nobody is. */
export function digest(text: string, digestKey: string): string {
  return createHmac('sha256', digestKey).update(emailKey(text)).digest('hex').slice(0, 32);
}

function word(text: string, digestKey: string): string {
  return isWord(text) ? text : digest(text, digestKey);
}

/** Whether a text is kept as it is; of all others a digest is. */
export function isWord(text: string): boolean {
  return WORD.test(text) && text.length <= LONGEST;
}
