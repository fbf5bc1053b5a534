// Takes out of published events what must be forgotten: of the rows of the outbox, in the transaction of the change that
// calls for it, and then of whatever the broker has of them, the dead letters of all consumers included. Guarantees: once both
// are done nothing of it is left, unless a consumer held an event in its hands that it gives up later; so do it once more after a while.
// The rows and the stream still tell the same, and no fact is lost: consumers that had it know it again by its id.
import { DEAD_LETTERS, rewriteMessages, type EventBus } from '@souk/events';
import { sql, type Database, type Transaction } from '@souk/postgres';
import { waitToBecomeRelay } from './outbox-rows.js';

/** Takes out of the data, parsed JSON, what must be forgotten. */
export type Redact = (type: string, data: unknown) => unknown;

interface Row {
  id: string;
  type: string;
  data: string;
}

const SELECT = sql(
  'outbox.select_of_aggregates',
  'SELECT id, type, data FROM outbox WHERE aggregate_id = ANY($1::text[]) ORDER BY id FOR UPDATE',
);
const UPDATE = sql(
  'outbox.redact',
  `UPDATE outbox SET data = r.data FROM unnest($1::uuid[], $2::text[]) AS r (id, data) WHERE outbox.id = r.id`,
);
const MOVE = sql('outbox.move', 'UPDATE outbox SET stream_sequence = $3 WHERE id = $1 AND stream_sequence = $2');

/**
 * Keeps the relay from publishing until the transaction ends: what was published before is on the stream by then, and what is
 * published after is redacted. Call it first in its transaction, since it waits for the relay.
 */
export async function holdOutbox(tx: Transaction): Promise<void> {
  await waitToBecomeRelay(tx);
}

/** Redacts the rows of the aggregates, in a transaction that holds the outbox. */
export async function redactOutbox(tx: Transaction, aggregateIds: readonly string[], redact: Redact): Promise<void> {
  const rows = await tx.query<Row>(SELECT, [aggregateIds]);
  const changed = rows
    .map(({ id, type, data }) => ({ id, before: data, after: redactText(redact, type, data) }))
    .filter(({ before, after }) => before !== after);
  if (changed.length === 0) return;
  await tx.query(UPDATE, [changed.map(({ id }) => id), changed.map(({ after }) => after)]);
}

/** What to redact on the broker. */
export interface RedactedEvents {
  /** The service that published them: `orders`. */
  readonly source: string;
  readonly aggregateIds: readonly string[];
  /** When the oldest of the aggregates began. */
  readonly since: Date;
  readonly redact: Redact;
}

/** Redacts what the broker has of the aggregates' events. @returns how many messages that were */
export async function redactStreams(
  { bus, database }: { bus: EventBus; database: Database },
  { source, aggregateIds, since, redact }: RedactedEvents,
): Promise<number> {
  if (aggregateIds.length === 0) return 0;
  const ids = new Set(aggregateIds);
  const rewriting = {
    since,
    chosen: ({ type, aggregateId }: { type: string; aggregateId: string }) =>
      ids.has(aggregateId) && isOf(source, type),
    redact: (type: string, data: string) => redactText(redact, type, data),
  };
  const stream = source.toUpperCase();
  const events = await rewriteMessages(bus, {
    ...rewriting,
    stream,
    moved: async ({ eventId, from, to }) => void (await database.query(MOVE, [eventId, from, to])),
  });
  const letters = await rewriteMessages(bus, { ...rewriting, stream: DEAD_LETTERS, moved: async () => undefined });
  return events + letters;
}

function isOf(source: string, type: string): boolean {
  return type.startsWith(`souk.${source}.`);
}

/** Data that is no JSON is nothing that the service wrote, and nobody can tell what it says. */
function redactText(redact: Redact, type: string, data: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return '{}';
  }
  const redacted = JSON.stringify(redact(type, parsed));
  return redacted === JSON.stringify(parsed) ? data : redacted;
}
