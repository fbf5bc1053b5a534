// Whether outbox and stream tell the same. Looks at the oldest events, the newest ones and some in between, chosen at random:
// a lost, purged or shortened stream shows at once, a hole in its middle after some runs. Reads only, and little, however long both are.
import { decodeEvent, lastSequence, storedMessage, type EventBus } from '@souk/events';
import { sql, uuidv7Floor, type Database } from '@souk/postgres';
import { inSlices, lostEvents, type LocatedEvent } from './on-stream.js';

/** What an audit saw. */
export interface Audit {
  /** Events that were looked for, on one side or the other. */
  compared: number;
  /** Sent events that the stream does not have. */
  lost: LocatedEvent[];
  /** Ids of events on the stream that the outbox does not have, though it keeps events for longer. */
  unknown: string[];
  /** Events that have waited for more than a minute to be sent; at most 10,000 are counted. */
  waiting: number;
}

const OLDEST = 1_000;
const BETWEEN = 1_000;
const NEWEST = 5_000;
const NEWEST_ON_STREAM = 1_000;
// A day less than the outbox keeps sent events for.
const KEPT_MS = 6 * 24 * 60 * 60 * 1000;

const COLUMNS = 'id, type, stream_sequence';
const SELECT_FROM = sql(
  'outbox.audit_from',
  `SELECT ${COLUMNS} FROM outbox WHERE id >= $1 AND stream_sequence IS NOT NULL ORDER BY id LIMIT $2`,
);
const SELECT_NEWEST = sql(
  'outbox.audit_newest',
  `SELECT ${COLUMNS} FROM outbox WHERE stream_sequence IS NOT NULL ORDER BY id DESC LIMIT $1`,
);
const SELECT_KNOWN = sql('outbox.audit_known', 'SELECT id FROM outbox WHERE id = ANY($1::uuid[])');
const COUNT_WAITING = sql(
  'outbox.audit_waiting',
  `SELECT count(*)::int AS waiting FROM (
     SELECT 1 FROM outbox WHERE sent_at IS NULL AND created_at < now() - interval '1 minute' ORDER BY sequence LIMIT 10000
   ) AS old`,
);

/** Compares the outbox of the service with its stream. */
export async function auditOutbox(parts: { database: Database; bus: EventBus; source: string }): Promise<Audit> {
  const { database, bus, source } = parts;
  const rows = await sample(database);
  const lost = await lostEvents(bus, rows);
  const published = await newestOnStream(bus, source);
  const known = await database.query<{ id: string }>(SELECT_KNOWN, [published]);
  const ids = new Set(known.map(({ id }) => id));
  const [counted] = await database.query<{ waiting: number }>(COUNT_WAITING);
  return {
    compared: rows.length + published.length,
    lost,
    unknown: published.filter((id) => !ids.has(id)),
    waiting: counted?.waiting ?? 0,
  };
}

async function sample(database: Database): Promise<LocatedEvent[]> {
  const somewhere = new Date(Date.now() - Math.random() * KEPT_MS);
  const parts = await Promise.all([
    database.query<LocatedEvent>(SELECT_FROM, [uuidv7Floor(new Date(0)), OLDEST]),
    database.query<LocatedEvent>(SELECT_FROM, [uuidv7Floor(somewhere), BETWEEN]),
    database.query<LocatedEvent>(SELECT_NEWEST, [NEWEST]),
  ]);
  return [...new Map(parts.flat().map((row) => [row.id, row])).values()];
}

/** Ids of the newest events on the stream that the outbox must still have. */
async function newestOnStream(bus: EventBus, source: string): Promise<string[]> {
  const stream = source.toUpperCase();
  const last = await lastSequence(bus, stream);
  const places = Array.from({ length: Math.min(NEWEST_ON_STREAM, last) }, (_, back) => last - back);
  const ids = await inSlices(places, async (seq) => {
    const message = await storedMessage(bus, stream, { seq });
    return message && recentEvent(message.header, message.data);
  });
  return ids.filter((id) => id !== undefined);
}

function recentEvent(...message: Parameters<typeof decodeEvent>): string | undefined {
  try {
    const { id, time } = decodeEvent(...message);
    return time.getTime() > Date.now() - KEPT_MS ? id : undefined;
  } catch {
    // No event of ours: its consumers give it up, and it is counted there.
    return undefined;
  }
}
