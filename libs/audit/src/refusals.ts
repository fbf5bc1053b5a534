// Bounds what a flood of refusals may write. Guarantees: the first refusal of somebody at something is kept at once, those of the
// same kind that follow within a minute are counted in one further record; and of each sort of caller at most 200 kinds are told
// apart per minute, so that guests neither fill the disk nor hide what people with an account tried. A count that is still open
// is lost with its process.
import { randomUUID } from 'node:crypto';

export { actorOf, type Actor } from './record.js';

/** What is needed of a record here. */
export interface Countable {
  readonly id: string;
  readonly callId: string;
  readonly time: Date;
  readonly action: string;
  readonly principalKind: string;
  readonly principalId: string;
  readonly source: string;
  readonly reason: string;
  readonly requestId: string;
  readonly count: number;
}

const MOST_KINDS = 200;
/** Reason of records that stand for refusals of many kinds. */
export const MANY_KINDS = 'MANY_KINDS';

export class Refusals<R extends Countable> {
  private readonly counted = new Map<string, { last: R; more: number }>();
  private readonly kinds = new Map<string, number>();

  /** @returns the record where it is to be kept at once */
  add(record: R): R | undefined {
    const kind = this.kindOf(record);
    const known = this.counted.get(kind.key);
    if (known) {
      known.last = kind.record;
      known.more += record.count;
      return undefined;
    }
    this.counted.set(kind.key, { last: kind.record, more: 0 });
    return kind.record;
  }

  /** Ends the minute. @returns the records that stand for what was only counted */
  take(): R[] {
    const open = [...this.counted.values()].filter(({ more }) => more > 0);
    this.counted.clear();
    this.kinds.clear();
    return open.map(({ last, more }) => {
      const id = randomUUID();
      return { ...last, id, callId: id, count: more };
    });
  }

  private kindOf(record: R): { key: string; record: R } {
    const { principalKind, principalId, source, action, reason } = record;
    const key = JSON.stringify([principalKind, principalId || source, action, reason]);
    if (this.counted.has(key)) return { key, record };
    const kinds = (this.kinds.get(principalKind) ?? 0) + 1;
    if (kinds > MOST_KINDS) {
      const many = { ...record, principalId: '', source: '', action: '', reason: MANY_KINDS };
      return { key: principalKind, record: many };
    }
    this.kinds.set(principalKind, kinds);
    return { key, record };
  }
}
