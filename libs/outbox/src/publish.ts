// Publishes rows of the outbox. Guarantees: the events of one aggregate reach the stream in their order, also when one of
// them fails, since the next is sent only after the one before was acknowledged; different aggregates go together.
import { encodeEvent, type EventBus } from '@souk/events';
import { errorType, startSpan, type SpanStart } from '@souk/telemetry';
import type { OutboxRow, Sent } from './outbox-rows.js';

/** What became of the rows. */
export interface Published {
  /** What the broker has acknowledged. */
  sent: Sent[];
  /** The first error, where not all were acknowledged. */
  error?: Error;
}

/**
 * Publishes the rows and answers which of them the broker has. Never throws.
 * @param messageId what the broker knows repetitions by; the event's id unless said otherwise
 */
export async function publishAll<R extends OutboxRow>(
  bus: EventBus,
  source: string,
  rows: R[],
  messageId: (row: R) => string = ({ id }) => id,
): Promise<Published> {
  const sent: Sent[] = [];
  for (const wave of waves(rows)) {
    const outcomes = await Promise.allSettled(wave.map((row) => publish(bus, source, row, messageId(row))));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') {
        sent.push(outcome.value);
      }
    }
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) {
      return { sent, error: new Error('Not every event was acknowledged.', { cause: failure.reason }) };
    }
  }
  return { sent };
}

/** Splits the rows such that each wave holds at most one row of an aggregate and order is kept over the waves. */
export function waves<R extends OutboxRow>(rows: R[]): R[][] {
  const result: R[][] = [];
  const seen = new Map<string, number>();
  for (const row of rows) {
    const wave = seen.get(row.aggregate_id) ?? 0;
    (result[wave] ??= []).push(row);
    seen.set(row.aggregate_id, wave + 1);
  }
  return result;
}

async function publish(bus: EventBus, source: string, row: OutboxRow, msgID: string): Promise<Sent> {
  const span = startSpan(spanOf(row));
  try {
    const sent = await send(bus, source, { ...row, traceparent: span?.traceparent ?? row.traceparent }, msgID);
    span?.end();
    return sent;
  } catch (error) {
    span?.end(errorType(error));
    throw error;
  }
}

function spanOf({ id, type, traceparent }: OutboxRow): SpanStart {
  const attributes = {
    'messaging.system': 'nats',
    'messaging.operation.type': 'send',
    'messaging.destination.name': type,
    'messaging.message.id': id,
  };
  return { name: `send ${type}`, kind: 'producer', parent: traceparent ?? undefined, attributes };
}

async function send(bus: EventBus, source: string, row: OutboxRow, msgID: string): Promise<Sent> {
  const { headers, payload } = encodeEvent({
    id: row.id,
    type: row.type,
    source,
    aggregateId: row.aggregate_id,
    time: row.created_at,
    traceparent: row.traceparent ?? undefined,
    data: row.data,
  });
  const { seq, duplicate } = await bus.js.publish(bus.subject(row.type), payload, { headers, msgID, timeout: 5_000 });
  return { id: row.id, streamSequence: seq, duplicate };
}
