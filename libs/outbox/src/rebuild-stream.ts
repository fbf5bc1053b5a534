// Writes to the stream what the broker has lost of it. Guarantees: only what is missing is published, as one relay among the
// others and with the events' own ids, so it may be repeated and interrupted at will; in the order of their writing.
// Consumers get what they had before only where they lost it too: the inbox knows it.
import { ensureStream, type EventBus } from '@souk/events';
import { sql, uuidv7Floor, type Database, type Transaction } from '@souk/postgres';
import { lostEvents, type LocatedEvent } from './on-stream.js';
import { markSent, waitToBecomeRelay, type OutboxRow } from './outbox-rows.js';
import { publishAll } from './publish.js';

/** What a rebuild did. */
export interface Rebuilt {
  /** Events that the stream was searched for. */
  compared: number;
  /** Events that were missing and are there now. */
  published: number;
}

type SentRow = OutboxRow & LocatedEvent & { sequence: bigint };

const CHUNK = 500;
const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

// By id, which is the table's key and grows with time; what was written at the same moment is put into its order below.
const SELECT_SENT = sql(
  'outbox.select_sent',
  `SELECT id, type, aggregate_id, data, traceparent, created_at, sequence, stream_sequence
     FROM outbox WHERE id > $1 AND sent_at IS NOT NULL ORDER BY id LIMIT $2`,
);

/** Publishes what the stream lacks of the events that were written since `from` and that the outbox keeps. */
export async function rebuildStream(
  { database, bus, source }: { database: Database; bus: EventBus; source: string },
  from?: Date,
): Promise<Rebuilt> {
  await ensureStream(bus, source);
  const rebuilt: Rebuilt = { compared: 0, published: 0 };
  let after = from ? uuidv7Floor(from) : LOWEST_ID;
  for (;;) {
    const chunk = await database.transaction((tx) => rebuildChunk(tx, { bus, source }, after));
    rebuilt.compared += chunk.compared;
    rebuilt.published += chunk.published;
    if (chunk.error) throw chunk.error;
    if (chunk.compared < CHUNK) return rebuilt;
    after = chunk.last;
  }
}

async function rebuildChunk(
  tx: Transaction,
  { bus, source }: { bus: EventBus; source: string },
  after: string,
): Promise<Rebuilt & { last: string; error?: Error }> {
  await waitToBecomeRelay(tx);
  const rows = await tx.query<SentRow>(SELECT_SENT, [after, CHUNK]);
  const lost = (await lostEvents(bus, rows)).sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
  const { sent, error } = await publishAll(bus, source, lost, messageId);
  await markSent(tx, sent);
  const published = sent.filter(({ duplicate }) => !duplicate).length;
  return { compared: rows.length, published, last: rows.at(-1)?.id ?? after, error };
}

// Not the event's id alone: the broker may remember that one though it has lost the event.
function messageId({ id, stream_sequence: place }: SentRow): string {
  return `${id}:lost-at-${place}`;
}
