// The transaction of a handler. Guarantees: the handler's writes and the events' rows in the inbox are committed together or
// not at all, and the handler gets an event that it had before only when somebody says `again`.
import type { Database, Transaction } from '@souk/postgres';
import { childTraceparent, metrics, newRequestId, runInContext } from '@souk/telemetry';
import { claimEvents } from './inbox.js';
import type { ReceivedEvent } from './received-event.js';

/** What is done with events of a type. */
export interface HandlingOptions<T> {
  database: Database;
  durable: string;
  handle: (tx: Transaction, events: ReceivedEvent<T>[]) => Promise<void>;
  afterCommit: () => void;
}

const handled = metrics.counter('inbox_handled_total', 'Events handled for the first time', ['consumer']);

/**
 * Hands the events that are new to the consumer to its handler.
 * @param again hands over all of them, also those that it had before
 * @returns ids of the events that were handed over
 */
export async function handleEvents<T>(
  { database, durable, handle, afterCommit }: HandlingOptions<T>,
  received: readonly ReceivedEvent<T>[],
  again = false,
): Promise<Set<string>> {
  const events = new Map(received.map((event) => [event.id, event]));
  const traceparent = childTraceparent(received[0]?.traceparent);
  const fresh = await runInContext({ requestId: newRequestId(), traceparent }, () =>
    database.transaction(async (tx) => {
      const claimed = await claimEvents(tx, durable, [...events.keys()]);
      const due = [...events.values()].filter(({ id }) => again || claimed.has(id));
      if (due.length > 0) {
        await handle(tx, due);
      }
      return due;
    }),
  );
  if (fresh.length > 0) {
    handled.inc({ consumer: durable }, fresh.length);
    afterCommit();
  }
  return new Set(fresh.map(({ id }) => id));
}
