// The relay's statements on the outbox. Guarantees: whoever holds the row of `outbox_relay` is the only relay of this
// database until its transaction ends, and then sees all that earlier relays marked. Rows are found by being unsent and
// not by a position: a transaction that commits late is not overtaken for good.
import { sql, uuidv7Floor, type Queryable, type Transaction } from '@souk/postgres';

/** A row that waits to be published. */
export interface UnsentRow {
  id: string;
  type: string;
  aggregate_id: string;
  data: string;
  traceparent: string | null;
  created_at: Date;
}

// Marking a row as sent may be lost with a crash of the database: it is then published again under the same id. So the
// relay's transaction does not wait for the disk.
const BECOME_RELAY = sql(
  'outbox.become_relay',
  `SELECT set_config('synchronous_commit', 'off', true) FROM outbox_relay FOR UPDATE SKIP LOCKED`,
);

const SELECT_UNSENT = sql(
  'outbox.select_unsent',
  `SELECT id, type, aggregate_id, data, traceparent, created_at
     FROM outbox WHERE sent_at IS NULL ORDER BY sequence LIMIT $1`,
);

const MARK_SENT = sql('outbox.mark_sent', `UPDATE outbox SET sent_at = now() WHERE id = ANY($1::uuid[])`);

const OLDEST_UNSENT = sql(
  'outbox.oldest_unsent',
  `SELECT extract(epoch FROM now() - created_at)::float8 AS age
     FROM outbox WHERE sent_at IS NULL ORDER BY sequence LIMIT 1`,
);

const PRUNE = sql(
  'outbox.prune',
  `WITH old AS (SELECT id FROM outbox WHERE id < $1 AND sent_at < $2 ORDER BY id LIMIT $3),
        gone AS (DELETE FROM outbox USING old WHERE outbox.id = old.id RETURNING 1)
   SELECT count(*)::int AS pruned FROM gone`,
);

/** True when this transaction is the relay now; false while another one is. */
export async function becomeRelay(tx: Transaction): Promise<boolean> {
  return (await tx.query(BECOME_RELAY)).length > 0;
}

/** The oldest unsent rows, in the order of their writing. */
export function selectUnsent(tx: Transaction, limit: number): Promise<UnsentRow[]> {
  return tx.query<UnsentRow>(SELECT_UNSENT, [limit]);
}

/** Marks rows as published. */
export async function markSent(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query(MARK_SENT, [ids]);
}

/** Seconds that the oldest unsent row has waited, or undefined where all are sent. */
export async function oldestUnsentAge(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ age: number }>(OLDEST_UNSENT);
  return row?.age;
}

/** Deletes up to `limit` rows that were sent before the instant; answers how many. Ids are version 7, so their key finds them. */
export async function pruneSent(database: Queryable, before: Date, limit: number): Promise<number> {
  const [row] = await database.query<{ pruned: number }>(PRUNE, [uuidv7Floor(before), before, limit]);
  return row?.pruned ?? 0;
}
