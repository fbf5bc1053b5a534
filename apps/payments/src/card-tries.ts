/**
 * Counts declined cards. Guarantees: a try is counted before the provider is asked, in the transaction that opens its payment,
 * and taken back with the answer that it was no decline; so any number at once get no further than one after the other, on
 * all replicas together. A try whose answer is not known counts. Windows begin with the first try and do not slide: around
 * the end of one, twice as many fit, and answers to tries of the window before may be taken back from the next. Subjects
 * are digests, and rows go when their window has ended.
 */
import { createHash } from 'node:crypto';
import { sql, type Transaction } from '@souk/postgres';
import { countedFor, type CardLimits, type CardTry } from './domain/card-limits.js';

/** No row where there are too many already. */
const COUNT = sql(
  'payments.count_card_try',
  `INSERT INTO card_tries AS t (subject, count, ends_at) VALUES ($1, 1, now() + $3 * interval '1 ms')
   ON CONFLICT (subject) DO UPDATE
     SET count = CASE WHEN t.ends_at <= now() THEN 1 ELSE t.count + 1 END,
         ends_at = CASE WHEN t.ends_at <= now() THEN now() + $3 * interval '1 ms' ELSE t.ends_at END
     WHERE t.ends_at <= now() OR t.count < $2
   RETURNING subject`,
);
const ENDS = sql('payments.end_of_card_tries', 'SELECT ends_at FROM card_tries WHERE subject = $1');
/** One by one in the order of their subjects, in which all lock them. */
const TAKE_BACK = sql(
  'payments.take_card_try_back',
  'UPDATE card_tries SET count = count - 1 WHERE subject = $1 AND count > 0',
);
/** More go than come. */
const FORGET = sql(
  'payments.forget_card_tries',
  `DELETE FROM card_tries WHERE subject IN (
     SELECT subject FROM card_tries WHERE ends_at < now() ORDER BY ends_at LIMIT 10 FOR UPDATE SKIP LOCKED)`,
);
const NOTE = sql('payments.note_card_try', 'UPDATE payments SET counted_for = $2, retry_at = $3 WHERE payment_id = $1');

export interface CountedTry {
  /** What it counts for, as it is noted with its payment. */
  readonly countedFor: string;
  /** Set where it is refused: when the next one is allowed. */
  readonly retryTime?: Date;
}

export class CardTries {
  constructor(private readonly limits: CardLimits) {}

  /** Counts the try of a payment, or refuses it, and then it is not counted. */
  async count(tx: Transaction, paymentId: string, tried: CardTry): Promise<CountedTry> {
    const subjects = countedFor(tried, this.limits).map(({ subject, atMost }) => ({
      subject: digest(subject),
      atMost,
    }));
    if (subjects.length === 0) return { countedFor: '' };
    const counted: string[] = [];
    for (const { subject, atMost } of subjects.toSorted((a, b) => (a.subject < b.subject ? -1 : 1))) {
      const rows = await tx.query(COUNT, [subject, atMost, this.limits.windowMs]);
      if (rows.length === 0) return this.refuse(tx, paymentId, subject, counted);
      counted.push(subject);
    }
    const noted = counted.join(' ');
    await tx.query(NOTE, [paymentId, noted, null]);
    await tx.query(FORGET, []);
    return { countedFor: noted };
  }

  private async refuse(tx: Transaction, paymentId: string, subject: string, counted: string[]): Promise<CountedTry> {
    await takeBack(tx, counted.join(' '));
    const [row] = await tx.query<{ ends_at: Date }>(ENDS, [subject]);
    const retryTime = row?.ends_at ?? new Date();
    await tx.query(NOTE, [paymentId, '', retryTime]);
    return { countedFor: '', retryTime };
  }
}

/** Takes a try back that ended in no decline. @param countedFor as it is noted with its payment */
export async function takeBack(tx: Transaction, countedFor: string): Promise<void> {
  for (const subject of countedFor.split(' ')) if (subject !== '') await tx.query(TAKE_BACK, [subject]);
}

function digest(subject: string): string {
  return createHash('sha256').update(subject).digest('base64url');
}
