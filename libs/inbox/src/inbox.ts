// The table of what was handled. Guarantees: an event is new to a consumer once, as long as its row is kept (60 days; the
// streams keep 30), and the row is written in the transaction of the effect: both or neither.
import { sql, uuidv7Floor, type Queryable, type Transaction } from '@souk/postgres';

// Sorted, so that two replicas that were given the same events wait for each other instead of deadlocking.
const CLAIM = sql(
  'inbox.claim',
  `INSERT INTO inbox (consumer, event_id)
   SELECT $1, id FROM unnest($2::uuid[]) AS id ORDER BY id
   ON CONFLICT DO NOTHING RETURNING event_id`,
);

const PRUNE = sql(
  'inbox.prune',
  `WITH old AS (SELECT event_id FROM inbox
                 WHERE consumer = $1 AND event_id < $2 AND received_at < $3 ORDER BY event_id LIMIT $4),
        gone AS (DELETE FROM inbox USING old WHERE inbox.consumer = $1 AND inbox.event_id = old.event_id RETURNING 1)
   SELECT count(*)::int AS pruned FROM gone`,
);

/** Notes the events as handled by the consumer; answers the ids that were new to it. */
export async function claimEvents(tx: Transaction, consumer: string, ids: string[]): Promise<Set<string>> {
  const rows = await tx.query<{ event_id: string }>(CLAIM, [consumer, ids]);
  return new Set(rows.map((row) => row.event_id));
}

/** Deletes up to `limit` rows from before the instant; answers how many. */
export async function pruneInbox(database: Queryable, consumer: string, before: Date, limit: number): Promise<number> {
  const [row] = await database.query<{ pruned: number }>(PRUNE, [consumer, uuidv7Floor(before), before, limit]);
  return row?.pruned ?? 0;
}
