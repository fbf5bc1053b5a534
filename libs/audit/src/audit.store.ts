// The chain of one database. Guarantees: one writer at a time, by a lock on the head, so that two replicas continue one chain;
// records and the new head are committed together; a record that is handed over again is kept once.
import { sql, type Database, type Transaction } from '@souk/postgres';
import { lettingGo } from './letting-go.js';
import { cleaned, digest, hashOf, isWord, type AuditRecord } from './record.js';

export interface Head {
  readonly seq: bigint;
  readonly hash: string;
}

/** The head, and the newest record that was let go: what is kept follows it. */
export interface Chain extends Head {
  readonly base: Head;
}

interface HeadRow extends Head {
  readonly digest_key: string;
  readonly base_seq: bigint;
  readonly base_hash: string;
}

/** A record at its place. */
export interface AuditRow {
  seq: bigint;
  id: string;
  call_id: string;
  time: Date;
  service: string;
  action: string;
  principal_kind: string;
  principal_id: string;
  roles: string;
  session_id: string;
  caller: string;
  source: string;
  request_id: string;
  object_type: string;
  object_id: string;
  outcome: string;
  reason: string;
  count: number;
  previous_hash: string;
  hash: string;
}

/** Which records: those that fulfil all that is given. */
export interface AuditFilter {
  readonly principalId?: string;
  /** An identifier or an e-mail address. */
  readonly objectId?: string;
  /** A full name, or what stands after its slash. */
  readonly action?: string;
  readonly outcome?: string;
  readonly from?: Date;
  readonly to?: Date;
}

/** Where a page ends: the records of the next one are older. */
export interface Position {
  readonly time: Date;
  readonly seq: bigint;
}

/** Outcome to ask for: of these calls only `asked` is there. */
export const UNFINISHED_OUTCOME = 'unfinished';
const UNFINISHED = `outcome = 'asked'
  AND NOT EXISTS (SELECT 1 FROM audit_log AS o WHERE o.call_id = audit_log.call_id AND o.id <> o.call_id)`;
const MOST_LET_GO = 1_000;
const NO_HEAD = 'The head of the audit record is missing.';

const COLUMNS = `seq, id, call_id, time, service, action, principal_kind, principal_id, roles, session_id, caller, source,
  request_id, object_type, object_id, outcome, reason, count, previous_hash, hash`;

const LOCK_HEAD = sql(
  'audit.lock_head',
  'SELECT seq, hash, digest_key, base_seq, base_hash FROM audit_head WHERE only_row FOR UPDATE',
);
const HEAD = sql('audit.head', 'SELECT seq, hash, base_seq, base_hash FROM audit_head WHERE only_row');
const KEY = sql('audit.key', 'SELECT digest_key FROM audit_head WHERE only_row');
const MOVE_HEAD = sql('audit.move_head', 'UPDATE audit_head SET seq = $1, hash = $2 WHERE only_row');
const MOVE_BASE = sql('audit.move_base', 'UPDATE audit_head SET base_seq = $1, base_hash = $2 WHERE only_row');
const LET_GO = sql('audit.let_go', 'DELETE FROM audit_log WHERE seq <= $1');
const KNOWN = sql('audit.known', 'SELECT id FROM audit_log WHERE id = ANY($1)');
const APPEND = sql(
  'audit.append',
  `INSERT INTO audit_log (${COLUMNS})
   SELECT ${COLUMNS} FROM jsonb_to_recordset($1::jsonb) AS r(seq bigint, id uuid, call_id uuid, time timestamptz, service text,
     action text, principal_kind text, principal_id text, roles text, session_id text, caller text, source text,
     request_id text, object_type text, object_id text, outcome text, reason text, count integer, previous_hash text,
     hash text)`,
);
const NEWEST = sql('audit.newest', 'SELECT seq FROM audit_log ORDER BY seq DESC LIMIT 1');
const AFTER = sql('audit.after', `SELECT ${COLUMNS} FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2`);
const UNFINISHED_BEFORE = sql(
  'audit.unfinished_before',
  `SELECT count(*) AS calls FROM audit_log WHERE ${UNFINISHED} AND time < $1`,
);
const AT = sql('audit.at', `SELECT ${COLUMNS} FROM audit_log WHERE seq = $1`);

/** One statement for each set of filters, so that each gets the index it needs. */
const CONDITIONS = {
  principalId: 'principal_id =',
  objectId: 'object_id =',
  action: "reverse(split_part(reverse(action), '/', 1)) =",
  outcome: 'outcome =',
  from: 'time >=',
  to: 'time <',
} as const;

export class AuditStore {
  constructor(private readonly database: Database) {}

  /** @param again true where some of the records may be kept already */
  append(records: readonly AuditRecord[], again = false): Promise<Head> {
    return this.database.transaction(async (tx) => {
      const head = await lockHead(tx);
      return add(tx, head, again ? await unknown(tx, records) : records);
    });
  }

  /** Lets the oldest records go, as long as they are from before that time, and says so in the chain. */
  async letGo(service: string, before: Date): Promise<void> {
    const { base } = await this.chain();
    const [oldest] = await this.after(base.seq, 1);
    if (!oldest || oldest.time >= before) return;
    await this.database.transaction(async (tx) => {
      const head = await lockHead(tx);
      const rows = await tx.query<AuditRow>(AFTER, [head.base_seq, MOST_LET_GO]);
      const young = rows.findIndex(({ time }) => time >= before);
      const last = rows.slice(0, young < 0 ? rows.length : young).at(-1);
      if (!last) return;
      await add(tx, head, [lettingGo(service, last)]);
      await tx.query(MOVE_BASE, [last.seq, last.hash]);
      await tx.query(LET_GO, [last.seq]);
    });
  }

  async chain(): Promise<Chain> {
    const [head] = await this.database.query<HeadRow>(HEAD);
    if (!head) throw new Error(NO_HEAD);
    return { seq: head.seq, hash: head.hash, base: { seq: head.base_seq, hash: head.base_hash } };
  }

  /** Calls that were asked before that time and whose outcome is not known. */
  async unfinished(before: Date): Promise<bigint> {
    const [row] = await this.database.query<{ calls: bigint }>(UNFINISHED_BEFORE, [before]);
    return row?.calls ?? 0n;
  }

  /** The place of the newest record, whatever the head says. */
  async newest(): Promise<bigint> {
    const [row] = await this.database.query<{ seq: bigint }>(NEWEST);
    return row?.seq ?? 0n;
  }

  /** The records that come next, in their order. */
  after(seq: bigint, limit: number): Promise<AuditRow[]> {
    return this.database.query<AuditRow>(AFTER, [seq, limit]);
  }

  async at(seq: bigint): Promise<AuditRow | undefined> {
    const [row] = await this.database.query<AuditRow>(AT, [seq]);
    return row;
  }

  /** Newest first. */
  async list(filter: AuditFilter, limit: number, before?: Position): Promise<AuditRow[]> {
    const { objectId } = filter;
    const wanted =
      objectId !== undefined && !isWord(objectId) ? { ...filter, objectId: await this.digestOf(objectId) } : filter;
    const isUnfinished = wanted.outcome === UNFINISHED_OUTCOME;
    const names = (Object.keys(CONDITIONS) as (keyof AuditFilter)[]).filter(
      (name) => wanted[name] !== undefined && !(isUnfinished && name === 'outcome'),
    );
    const conditions = names.map((name, index) => conditionOf(name, index + 2));
    if (isUnfinished) conditions.push(UNFINISHED);
    const values: unknown[] = names.map((name) => wanted[name]);
    if (before) {
      conditions.push(`(time, seq) < ($${values.length + 2}, $${values.length + 3})`);
      values.push(before.time, before.seq);
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const key = [...names, ...(isUnfinished ? ['unfinished'] : []), ...(before ? ['before'] : [])]
      .map((name) => name.slice(0, 3))
      .join('_');
    const statement = sql(
      `audit.list_${key}`,
      `SELECT ${COLUMNS} FROM audit_log ${where} ORDER BY time DESC, seq DESC LIMIT $1`,
    );
    return this.database.query<AuditRow>(statement, [limit, ...values]);
  }

  private async digestOf(email: string): Promise<string> {
    const [row] = await this.database.query<{ digest_key: string }>(KEY);
    return digest(email, row?.digest_key ?? '');
  }
}

function conditionOf(name: keyof AuditFilter, parameter: number): string {
  const condition = `${CONDITIONS[name]} $${parameter}`;
  return name === 'action' ? `(action = $${parameter} OR ${condition})` : condition;
}

async function lockHead(tx: Transaction): Promise<HeadRow> {
  const [head] = await tx.query<HeadRow>(LOCK_HEAD);
  if (!head) throw new Error(NO_HEAD);
  return head;
}

/** @returns the new head */
async function add(tx: Transaction, head: HeadRow, records: readonly AuditRecord[]): Promise<Head> {
  const rows = chained(
    records.map((record) => cleaned(record, head.digest_key)),
    head,
  );
  const last = rows.at(-1);
  if (!last) return head;
  const json = JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  await tx.query(APPEND, [json]);
  await tx.query(MOVE_HEAD, [last.seq, last.hash]);
  return last;
}

async function unknown(tx: Transaction, records: readonly AuditRecord[]): Promise<AuditRecord[]> {
  const known = await tx.query<{ id: string }>(KNOWN, [records.map(({ id }) => id)]);
  const ids = new Set(known.map(({ id }) => id));
  return records.filter(({ id }) => !ids.has(id));
}

function chained(records: readonly AuditRecord[], head: Head): AuditRow[] {
  let { seq, hash } = head;
  return records.map((record) => {
    const previous_hash = hash;
    seq += 1n;
    hash = hashOf(record, seq, previous_hash);
    return toRow(record, { seq, previous_hash, hash });
  });
}

function toRow(record: AuditRecord, place: Pick<AuditRow, 'seq' | 'previous_hash' | 'hash'>): AuditRow {
  const { callId, principalKind, principalId, sessionId, requestId, objectType, objectId, ...same } = record;
  return {
    ...same,
    ...place,
    call_id: callId,
    principal_kind: principalKind,
    principal_id: principalId,
    session_id: sessionId,
    request_id: requestId,
    object_type: objectType,
    object_id: objectId,
  };
}

/** The record as it was hashed. */
export function fromRow(row: AuditRow): AuditRecord {
  return {
    ...row,
    callId: row.call_id,
    principalKind: row.principal_kind,
    principalId: row.principal_id,
    sessionId: row.session_id,
    requestId: row.request_id,
    objectType: row.object_type,
    objectId: row.object_id,
  };
}
