// The relay's statements on the outbox. Guarantees: whoever holds the row of `outbox_relay` is the only relay of this
// database until its transaction ends, and then sees all that earlier relays marked. Rows are found by being unsent and
// not by a position: a transaction that commits late is not overtaken for good.
import { sql, uuidv7Floor, type Queryable, type Transaction } from '@souk/postgres';

/** An event as it is published. */
export interface OutboxRow {
  id: string;
  type: string;
  aggregate_id: string;
  data: string;
  traceparent: string | null;
  created_at: Date;
}

/** What the broker acknowledged. */
export interface Sent {
  id: string;
  /** Its place on the stream. */
  streamSequence: number;
  /** True where the broker had it already. */
  duplicate: boolean;
}

// Marking a row as sent may be lost with a crash of the database: it is then published again under the same id. So the
// relay's transaction does not wait for the disk.
const BECOME_RELAY = sql(
  'outbox.become_relay',
  `SELECT set_config('synchronous_commit', 'off', true) FROM outbox_relay FOR UPDATE SKIP LOCKED`,
);

const WAIT_TO_BECOME_RELAY = sql('outbox.wait_to_become_relay', 'SELECT 1 AS relay FROM outbox_relay FOR UPDATE');

const SELECT_UNSENT = sql(
  'outbox.select_unsent',
  `SELECT id, type, aggregate_id, data, traceparent, created_at
     FROM outbox WHERE sent_at IS NULL ORDER BY sequence LIMIT $1`,
);

const MARK_SENT = sql(
  'outbox.mark_sent',
  `UPDATE outbox SET sent_at = now(), stream_sequence = sent.stream_sequence
     FROM unnest($1::uuid[], $2::bigint[]) AS sent (id, stream_sequence) WHERE outbox.id = sent.id`,
);

const OLDEST_UNSENT = sql(
  'outbox.oldest_unsent',
  `SELECT extract(epoch FROM now() - created_at)::float8 AS age
     FROM outbox WHERE sent_at IS NULL ORDER BY sequence LIMIT 1`,
);

const COUNT_UNSENT = sql(
  'outbox.count_unsent',
  'SELECT count(*)::int AS unsent FROM (SELECT FROM outbox WHERE sent_at IS NULL LIMIT $1) AS waiting',
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

/** Makes this transaction the relay once another one has ended. */
export async function waitToBecomeRelay(tx: Transaction): Promise<void> {
  await tx.query(WAIT_TO_BECOME_RELAY);
}

/** The oldest unsent rows, in the order of their writing. */
export function selectUnsent(tx: Transaction, limit: number): Promise<OutboxRow[]> {
  return tx.query<OutboxRow>(SELECT_UNSENT, [limit]);
}

/** Marks rows as published, and where on the stream they are. */
export async function markSent(tx: Transaction, sent: readonly Sent[]): Promise<void> {
  await tx.query(MARK_SENT, [sent.map(({ id }) => id), sent.map(({ streamSequence }) => streamSequence)]);
}

/** Seconds that the oldest unsent row has waited, or undefined where all are sent. */
export async function oldestUnsentAge(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ age: number }>(OLDEST_UNSENT);
  return row?.age;
}

/** How many rows are unsent, up to `most`. */
export async function countUnsent(database: Queryable, most: number): Promise<number> {
  const [row] = await database.query<{ unsent: number }>(COUNT_UNSENT, [most]);
  return row?.unsent ?? 0;
}

/** Deletes up to `limit` rows that were sent before the instant; answers how many. Ids are version 7, so their key finds them. */
export async function pruneSent(database: Queryable, before: Date, limit: number): Promise<number> {
  const [row] = await database.query<{ pruned: number }>(PRUNE, [uuidv7Floor(before), before, limit]);
  return row?.pruned ?? 0;
}
