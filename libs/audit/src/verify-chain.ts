// Computes the chain again. Guarantees: finds a record that was changed, put in, taken out or moved, and names the first such place.
// Cannot find that whoever owns the database wrote the whole chain anew from some place on: for this compare a head that was
// published before.
import { fromRow, type AuditRow, type AuditStore, type Head } from './audit.store.js';
import { hashOf } from './record.js';

export interface Verdict {
  /** Records that are as they were written, from the first on. */
  readonly verified: bigint;
  readonly head: Head;
  /** The first place that is not as it was written. */
  readonly broken?: { readonly seq: bigint; readonly problem: string };
}

const PAGE = 1_000;

/** @param published a head that was published before */
export async function verifyChain(store: AuditStore, published?: Head): Promise<Verdict> {
  // Before the head: what is written meanwhile moves both.
  const newest = await store.newest();
  const head = (await store.head()) ?? { seq: 0n, hash: '' };
  let last: Head = { seq: 0n, hash: '' };
  while (last.seq < head.seq) {
    const rows = await store.after(last.seq, PAGE);
    for (const row of rows) {
      const problem = problemOf(row, last);
      if (problem) return { verified: last.seq, head: pick(head), broken: { seq: last.seq + 1n, problem } };
      last = row;
      if (last.seq === head.seq) break;
    }
    if (rows.length === 0) break;
  }
  const broken = endProblem(last, head, newest) ?? (published && (await publishedProblem(store, published)));
  return {
    verified: broken ? minOf(last.seq, broken.seq - 1n) : last.seq,
    head: pick(head),
    ...(broken && { broken }),
  };
}

function problemOf(row: AuditRow, last: Head): string | undefined {
  if (row.seq !== last.seq + 1n) return `is missing: the next record is ${row.seq}`;
  if (row.previous_hash !== last.hash) return 'does not follow the record before it';
  if (row.hash !== hashOf(fromRow(row), row.seq, row.previous_hash)) return 'was changed: its hash is another one';
  return undefined;
}

function endProblem(last: Head, head: Head, newest: bigint): Verdict['broken'] {
  if (last.seq < head.seq) return { seq: last.seq + 1n, problem: `is missing: the head is at ${head.seq}` };
  if (last.hash !== head.hash) return { seq: head.seq, problem: 'is not the one that the head names' };
  if (newest > head.seq) return { seq: head.seq + 1n, problem: 'was put in after the head' };
  return undefined;
}

async function publishedProblem(store: AuditStore, { seq, hash }: Head): Promise<Verdict['broken']> {
  const row = await store.at(seq);
  return row?.hash === hash ? undefined : { seq, problem: 'is not the one whose hash was published' };
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function pick({ seq, hash }: Head): Head {
  return { seq, hash };
}
