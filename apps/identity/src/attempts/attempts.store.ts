// Tries and their pauses. Guarantees: a try is counted before what it tries is done, in one statement, so that any number
// at once get no further than one after the other; all replicas count together, by the database's clock. Rows are bounded
// in number and go by themselves. Subjects are kept as keyed digests.
import { createHmac } from 'node:crypto';
import { DomainError } from '@souk/errors';
import { sql, type Database } from '@souk/postgres';
import { FORGET_ALL_AFTER_SECONDS, pausesOf, ROWS_AT_MOST, type Limit } from './limits.js';

/** What is tried, and of whom. */
export interface Try {
  readonly limit: Limit;
  readonly subject: string;
}

/** Asks the clock whether a pause is over: `now()` is when a try began, which may be before another's, which had no pause. */
const COUNT = sql(
  'attempts.count',
  `WITH pauses AS (SELECT $2::float8[] AS secs, make_interval(secs => $3) AS forget_after)
   INSERT INTO attempts AS a (subject, count, blocked_until, last_at)
   SELECT $1, 1, now() + make_interval(secs => secs[1]), now() FROM pauses
   ON CONFLICT (subject) DO UPDATE SET (count, blocked_until, last_at) = (
     SELECT n, now() + make_interval(secs => secs[least(n, cardinality(secs))]), now()
       FROM pauses, LATERAL (SELECT CASE WHEN a.last_at > now() - forget_after THEN a.count + 1 ELSE 1 END AS n) counted)
   WHERE a.blocked_until <= clock_timestamp()
   RETURNING count`,
);
const PAUSE = sql(
  'attempts.pause',
  'SELECT extract(epoch FROM blocked_until - now())::float8 AS seconds FROM attempts WHERE subject = $1',
);
const FORGET = sql('attempts.forget', 'DELETE FROM attempts WHERE subject = $1');
const TAKE_BACK = sql(
  'attempts.take_back',
  'UPDATE attempts SET count = greatest(count - 1, 0), blocked_until = now() WHERE subject = $1',
);
const PRUNE = sql(
  'attempts.prune',
  `DELETE FROM attempts WHERE last_at < greatest(
     now() - make_interval(secs => $1),
     (SELECT last_at FROM attempts ORDER BY last_at DESC OFFSET $2 LIMIT 1))`,
);

export class AttemptsStore {
  constructor(
    private readonly database: Database,
    private readonly digestKey: Buffer,
  ) {}

  /**
   * Counts a try for each of its subjects; the first that has to wait ends it.
   * @throws DomainError TOO_MANY_ATTEMPTS
   */
  async begin(tries: readonly Try[]): Promise<void> {
    for (const tried of tries) {
      const seconds = await this.count(tried);
      if (seconds > 0) throw tooMany(seconds);
    }
  }

  /** Counts a try; answers 0, or where a pause goes on counts nothing and answers how many seconds it still takes. */
  async count({ limit, subject }: Try): Promise<number> {
    const digest = this.digest(limit, subject);
    const counted = await this.database.query(COUNT, [digest, pausesOf(limit), limit.forgetAfterSeconds]);
    if (counted.length > 0) return 0;
    const [row] = await this.database.query<{ seconds: number }>(PAUSE, [digest]);
    return Math.max(1, Math.ceil(row?.seconds ?? 1));
  }

  /** Begins the count again: the try succeeded, and with it those before are forgiven. */
  async forget({ limit, subject }: Try): Promise<void> {
    await this.database.query(FORGET, [this.digest(limit, subject)]);
  }

  /** Takes one try back: it succeeded, which says nothing about the others. */
  async takeBack({ limit, subject }: Try): Promise<void> {
    await this.database.query(TAKE_BACK, [this.digest(limit, subject)]);
  }

  async prune(rowsAtMost = ROWS_AT_MOST): Promise<void> {
    await this.database.query(PRUNE, [FORGET_ALL_AFTER_SECONDS, rowsAtMost]);
  }

  private digest({ scope }: Limit, subject: string): Buffer {
    return createHmac('sha256', this.digestKey).update(`${scope}\n${subject}`).digest();
  }
}

function tooMany(seconds: number): DomainError {
  return new DomainError({
    kind: 'exhausted',
    reason: 'TOO_MANY_ATTEMPTS',
    message: `That was tried too often. Try again in ${seconds} seconds.`,
    metadata: { retry_after: String(seconds) },
  });
}
