// Plays events of a stream to one consumer again, for a consumer that came late or whose effects were lost. Guarantees: in
// the order of the stream, each marked as replayed, so that nobody outside is told of it a second time; events that fail become
// dead letters. The consumer's own place on the stream stays where it is.
import { DeliverPolicy, ReplayPolicy, type JsMsg } from '@nats-io/jetstream';
import { ensureStream, serviceOf, streamName, type EventBus } from '@souk/events';
import { isDatabaseUnavailable } from '@souk/postgres';
import { writeDeadLetter } from './dead-letter.js';
import type { AnyConsumer, ReplayCount } from './redelivery.js';

/** Which events to play again. */
export interface ReplayRange {
  /** Published at or after. */
  readonly from: Date;
  /** Published before. */
  readonly to: Date;
  /** Also those that the consumer has handled before. */
  readonly again?: boolean;
}

const BATCH = 100;

/** Plays the events of the consumer's type that were published in the range. */
export async function replayEvents(bus: EventBus, consumer: AnyConsumer, range: ReplayRange): Promise<ReplayCount> {
  const count: ReplayCount = { handled: 0, skipped: 0, failed: 0 };
  for await (const messages of batches(bus, consumer.type, range)) {
    const outcomes = await consumer.redeliver(messages, { replayed: true, again: range.again });
    for (const [index, message] of messages.entries()) {
      const outcome = outcomes[index] ?? 'skipped';
      if (isDatabaseUnavailable(outcome)) throw outcome as unknown;
      if (outcome instanceof Error) await writeDeadLetter(bus, consumer.durable, message, outcome);
      count[outcome instanceof Error ? 'failed' : outcome] += 1;
    }
  }
  return count;
}

async function* batches(bus: EventBus, type: string, { from, to }: ReplayRange): AsyncGenerator<JsMsg[]> {
  await ensureStream(bus, serviceOf(type));
  const reader = await bus.js.consumers.get(bus.stream(streamName(type)), {
    filter_subjects: bus.subject(type),
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: from.toISOString(),
    replay_policy: ReplayPolicy.Instant,
  });
  let left = (await reader.info()).num_pending;
  while (left > 0) {
    const messages: JsMsg[] = [];
    for await (const message of await reader.fetch({ max_messages: Math.min(left, BATCH), expires: 5_000 })) {
      messages.push(message);
    }
    const wanted = messages.filter((message) => message.time < to);
    if (wanted.length > 0) yield wanted;
    if (wanted.length < messages.length || messages.length === 0) return;
    left -= messages.length;
  }
}
