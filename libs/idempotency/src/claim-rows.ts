// The statements on the table of claims.
import { sql } from '@souk/postgres';

/** A claim that was committed: with an answer or a refusal. */
export interface ClaimRow {
  fingerprint: string;
  answer: unknown;
  refusal: unknown;
}

// One statement bounds the waiting and claims. An equal key of an open transaction is waited for.
export const CLAIM = sql(
  'claims.claim',
  `INSERT INTO claims (principal, operation, key, fingerprint)
   SELECT $1, $2, $3, $4 FROM (SELECT set_config('lock_timeout', $5, true)) AS bound
   ON CONFLICT DO NOTHING RETURNING key`,
);

export const SAVE_POINT = sql('claims.save_point', 'SAVEPOINT claimed_work');

export const ROLL_BACK_WORK = sql('claims.roll_back_work', 'ROLLBACK TO SAVEPOINT claimed_work');

export const FIND = sql(
  'claims.find',
  'SELECT fingerprint, answer, refusal FROM claims WHERE principal = $1 AND operation = $2 AND key = $3',
);

export const KEEP_ANSWER = sql(
  'claims.keep_answer',
  'UPDATE claims SET answer = $4 WHERE principal = $1 AND operation = $2 AND key = $3',
);

export const KEEP_REFUSAL = sql(
  'claims.keep_refusal',
  'UPDATE claims SET refusal = $4 WHERE principal = $1 AND operation = $2 AND key = $3',
);

export const PRUNE = sql(
  'claims.prune',
  `WITH old AS (SELECT principal, operation, key FROM claims
                 WHERE created_at < now() - interval '30 days' ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM claims USING old
                  WHERE claims.principal = old.principal AND claims.operation = old.operation AND claims.key = old.key
                 RETURNING 1)
   SELECT count(*)::int AS pruned FROM gone`,
);
