// The transaction of a handler. Guarantees: the handler's writes and the events' rows in the inbox are committed together or
// not at all, and the handler gets an event that it had before only when somebody says `again`.
import type { Database, Transaction } from '@souk/postgres';
import {
  childTraceparent,
  errorType,
  metrics,
  newRequestId,
  runInContext,
  startSpan,
  type SpanStart,
  type StartedSpan,
} from '@souk/telemetry';
import { claimEvents } from './inbox.js';
import type { ReceivedEvent } from './received-event.js';

/** What is done with events of a type. */
export interface HandlingOptions<T> {
  database: Database;
  durable: string;
  handle: (tx: Transaction, events: ReceivedEvent<T>[]) => Promise<void>;
  afterCommit: () => void;
}

const handled = metrics.counter('inbox_handled_total');

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
  const fresh = await traced(durable, received, () =>
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

/** Each event has a span in its own trace; what is done for all of them together belongs to the first, which the others link to. */
async function traced<T, R>(durable: string, events: readonly ReceivedEvent<T>[], work: () => Promise<R>): Promise<R> {
  const spans: StartedSpan[] = [];
  for (const event of events) {
    const span = startSpan(spanOf(durable, event, spans[0]));
    if (span) spans.push(span);
  }
  const traceparent = spans[0]?.traceparent ?? childTraceparent(events[0]?.traceparent);
  const end = (failure?: string) => spans.forEach((span) => span.end(failure));
  try {
    const result = await runInContext({ requestId: newRequestId(), traceparent }, work);
    end();
    return result;
  } catch (error) {
    end(errorType(error));
    throw error;
  }
}

function spanOf<T>(durable: string, { id, type, traceparent }: ReceivedEvent<T>, first?: StartedSpan): SpanStart {
  const attributes = {
    'messaging.system': 'nats',
    'messaging.operation.type': 'process',
    'messaging.destination.name': type,
    'messaging.consumer.group.name': durable,
    'messaging.message.id': id,
  };
  const links = first ? [first.traceparent] : [];
  return { name: `process ${type}`, kind: 'consumer', parent: traceparent, attributes, links };
}
