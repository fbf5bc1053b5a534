// Publishes rows of the outbox. Guarantees: the events of one aggregate reach the stream in their order, also when one of
// them fails, since the next is sent only after the one before was acknowledged; different aggregates go together.
import { encodeEvent, type EventBus } from '@souk/events';
import type { UnsentRow } from './outbox-rows.js';

/** What became of the rows. */
export interface Published {
  /** Ids that the broker has acknowledged. */
  sent: string[];
  /** The first error, where not all were acknowledged. */
  error?: Error;
}

/** Publishes the rows and answers which of them the broker has. Never throws. */
export async function publishAll(bus: EventBus, source: string, rows: UnsentRow[]): Promise<Published> {
  const sent: string[] = [];
  for (const wave of waves(rows)) {
    const outcomes = await Promise.allSettled(wave.map((row) => publish(bus, source, row)));
    wave.forEach((row, index) => {
      if (outcomes[index]?.status === 'fulfilled') {
        sent.push(row.id);
      }
    });
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) {
      return { sent, error: new Error('Not every event was acknowledged.', { cause: failure.reason }) };
    }
  }
  return { sent };
}

/** Splits the rows such that each wave holds at most one row of an aggregate and order is kept over the waves. */
export function waves(rows: UnsentRow[]): UnsentRow[][] {
  const result: UnsentRow[][] = [];
  const seen = new Map<string, number>();
  for (const row of rows) {
    const wave = seen.get(row.aggregate_id) ?? 0;
    (result[wave] ??= []).push(row);
    seen.set(row.aggregate_id, wave + 1);
  }
  return result;
}

async function publish(bus: EventBus, source: string, row: UnsentRow): Promise<void> {
  const { headers, payload } = encodeEvent({
    id: row.id,
    type: row.type,
    source,
    aggregateId: row.aggregate_id,
    time: row.created_at,
    traceparent: row.traceparent ?? undefined,
    data: row.data,
  });
  await bus.js.publish(bus.subject(row.type), payload, { headers, timeout: 5_000 });
}
