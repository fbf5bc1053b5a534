// Computes the chain again. Guarantees: finds a record that was changed, put in, taken out or moved, and names the first such place.
// Cannot find that whoever owns the database wrote the whole chain anew from some place on: for this compare a head that was
// published before.
import { fromRow, type AuditRow, type AuditStore, type Chain, type Head } from './audit.store.js';
import { LET_GO } from './letting-go.js';
import { hashOf } from './record.js';

export interface Verdict {
  /** The newest place up to which all records are as they were written. */
  readonly verified: bigint;
  readonly head: Head;
  /** The first place that is not as it was written. */
  readonly broken?: { readonly seq: bigint; readonly problem: string };
}

interface Walk {
  readonly last: Head;
  /** What the newest record says that was let go. */
  readonly letGo: string;
  readonly problem?: string;
}

const PAGE = 1_000;

/** @param published a head that was published before */
export async function verifyChain(store: AuditStore, published?: Head): Promise<Verdict> {
  // Before the head: what is written meanwhile moves both.
  const newest = await store.newest();
  const head = await store.chain();
  const walked = await walk(store, head);
  const { last } = walked;
  const broken =
    walkProblem(walked) ??
    beginningProblem(head, walked) ??
    endProblem(last, head, newest) ??
    (published && (await publishedProblem(store, head.base, published)));
  const isOvertaken = broken !== undefined && (await store.chain()).base.seq > head.base.seq;
  if (isOvertaken) return verifyChain(store, published);
  return {
    verified: broken ? minOf(last.seq, broken.seq - 1n) : last.seq,
    head: pick(head),
    ...(broken && { broken }),
  };
}

async function walk(store: AuditStore, head: Chain): Promise<Walk> {
  let last = head.base;
  let letGo = '';
  while (last.seq < head.seq) {
    const rows = await store.after(last.seq, PAGE);
    if (rows.length === 0) break;
    for (const row of rows.filter(({ seq }) => seq <= head.seq)) {
      const problem = problemOf(row, last);
      if (problem) return { last, letGo, problem };
      if (row.action === LET_GO) letGo = `${row.object_id} ${row.reason}`;
      last = row;
    }
    if ((rows.at(-1) as AuditRow).seq > head.seq) break;
  }
  return { last, letGo };
}

function walkProblem({ last, problem }: Walk): Verdict['broken'] {
  return problem === undefined ? undefined : { seq: last.seq + 1n, problem };
}

function problemOf(row: AuditRow, last: Head): string | undefined {
  if (row.seq !== last.seq + 1n) return `is missing: the next record is ${row.seq}`;
  if (row.previous_hash !== last.hash) return 'does not follow the record before it';
  if (row.hash !== hashOf(fromRow(row), row.seq, row.previous_hash)) return 'was changed: its hash is another one';
  return undefined;
}

function beginningProblem({ base }: Chain, { letGo }: Walk): Verdict['broken'] {
  if (base.seq === 0n || letGo === `${base.seq} ${base.hash}`) return undefined;
  return { seq: base.seq, problem: 'is missing, and no record says that it was let go' };
}

function endProblem(last: Head, head: Head, newest: bigint): Verdict['broken'] {
  if (last.seq < head.seq) return { seq: last.seq + 1n, problem: `is missing: the head is at ${head.seq}` };
  if (last.hash !== head.hash) return { seq: head.seq, problem: 'is not the one that the head names' };
  if (newest > head.seq) return { seq: head.seq + 1n, problem: 'was put in after the head' };
  return undefined;
}

async function publishedProblem(store: AuditStore, base: Head, { seq, hash }: Head): Promise<Verdict['broken']> {
  if (seq === base.seq && hash === base.hash) return undefined;
  if (seq < base.seq) return { seq, problem: 'was let go: compare a younger one' };
  const row = await store.at(seq);
  return row?.hash === hash ? undefined : { seq, problem: 'is not the one whose hash was published' };
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function pick({ seq, hash }: Head): Head {
  return { seq, hash };
}
