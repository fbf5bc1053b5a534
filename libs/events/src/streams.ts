// The streams, made by whoever needs them first. Guarantees: calling it again, or twice at once, changes nothing; a
// stream that was lost is made anew. Only features of NATS 2.9 are used.
import { DiscardPolicy, JetStreamApiCodes, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { EventBus } from './event-bus.js';
import { DEAD_LETTERS } from './names.js';
import { isApiError } from './stored-message.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const NAME_IN_USE = 10058;

/** Makes the stream of a publishing service: `orders` → ORDERS on `souk.orders.>`. */
export async function ensureStream(bus: EventBus, service: string): Promise<void> {
  await ensure(bus, service.toUpperCase(), `souk.${service}.>`, 30 * DAY_MS);
}

/** Makes the stream of the dead letters, on `dead.>`. */
export async function ensureDeadLetters(bus: EventBus): Promise<void> {
  await ensure(bus, DEAD_LETTERS, 'dead.>', 365 * DAY_MS);
}

async function ensure(bus: EventBus, name: string, subject: string, maxAgeMs: number): Promise<void> {
  const stream = bus.stream(name);
  const config = streamConfig(bus.subject(subject), maxAgeMs);
  try {
    const { config: present } = await bus.jsm.streams.info(stream);
    if (present.num_replicas !== config.num_replicas || present.max_age !== config.max_age) {
      await bus.jsm.streams.update(stream, config);
    }
  } catch (error) {
    if (!isApiError(error, JetStreamApiCodes.StreamNotFound)) {
      throw error;
    }
    await add(bus, stream, config);
  }
}

async function add(bus: EventBus, name: string, config: StreamSettings): Promise<void> {
  try {
    await bus.jsm.streams.add({ name, ...config });
  } catch (error) {
    // Somebody else made it in between.
    if (!isApiError(error, NAME_IN_USE)) {
      throw error;
    }
  }
}

type StreamSettings = Pick<
  StreamConfig,
  'subjects' | 'storage' | 'retention' | 'max_age' | 'duplicate_window' | 'num_replicas' | 'discard' | 'max_bytes'
>;

function streamConfig(subject: string, maxAgeMs: number): StreamSettings {
  return {
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    max_age: nanos(maxAgeMs),
    duplicate_window: nanos(2 * 60 * 1000),
    num_replicas: Number(process.env['SOUK_NATS_REPLICAS'] ?? 1),
    // No bound by size or number, so that nothing unread is ever pushed out by what is new: only age ends an event, and the
    // outbox can write it again. With such a bound, "new" would have to be discarded instead of "old".
    discard: DiscardPolicy.Old,
    max_bytes: -1,
  };
}
