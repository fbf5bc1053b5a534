// An event that a consumer gave up: a message of the stream DEAD_LETTERS with the original headers and data, and with what
// went wrong. Guarantees: the letter is acknowledged by the broker before the original is taken off; the same event is
// written once (within the broker's two minutes).
import { JetStreamApiCodes, type JsMsg, type StoredMsg } from '@nats-io/jetstream';
import { headers as newHeaders } from '@nats-io/transport-node';
import { oneLine } from '@souk/errors';
import { DEAD_LETTERS, ensureDeadLetters, isApiError, type EventBus } from '@souk/events';
import type { RawEvent } from './received-event.js';

// The code for a deletion of what is not there; a reading of it has another one.
const NO_SUCH_MESSAGE = 10057;

/** A letter, as people look at it and as its consumer gets it once more. */
export interface DeadLetter extends RawEvent {
  /** Its place on the stream of the dead letters. */
  readonly id: bigint;
  /** Consumer that gave up. */
  readonly consumer: string;
  readonly eventId: string;
  readonly type: string;
  readonly aggregateId: string;
  /** Last failure, in a sentence. */
  readonly error: string;
  /** When it was given up. */
  readonly time: Date;
}

/** Copies the message to `dead.<durable>`. */
export async function writeDeadLetter(bus: EventBus, durable: string, message: JsMsg, error: unknown): Promise<void> {
  await ensureDeadLetters(bus);
  const headers = newHeaders();
  for (const [name, values] of message.headers ?? []) {
    values.forEach((value) => headers.append(name, value));
  }
  headers.set('Nats-Msg-Id', `${durable}:${message.info.stream}:${message.seq}`);
  headers.set('souk-dead-consumer', durable);
  headers.set('souk-dead-subject', message.subject);
  headers.set('souk-dead-sequence', String(message.seq));
  headers.set('souk-dead-error', oneLine(error));
  await bus.js.publish(bus.subject(`dead.${durable}`), message.data, { headers, timeout: 5_000 });
}

/** Reads a letter; what its event lacks is empty. */
export function toDeadLetter({ seq, header, data, time }: StoredMsg): DeadLetter {
  return {
    id: BigInt(seq),
    consumer: header.get('souk-dead-consumer'),
    eventId: header.get('ce-id'),
    type: header.get('ce-type'),
    aggregateId: header.get('ce-subject'),
    error: header.get('souk-dead-error'),
    time,
    headers: header,
    data,
  };
}

/** How many letters there are, by consumer; of one consumer or of all. */
export async function countLetters(bus: EventBus, consumer = '>'): Promise<Map<string, number>> {
  const options = { subjects_filter: bus.subject(`dead.${consumer}`) };
  const { state } = await bus.jsm.streams.info(bus.stream(DEAD_LETTERS), options).catch(noLetters);
  const prefix = bus.subject('dead.');
  return new Map(Object.entries(state.subjects ?? {}).map(([name, count]) => [name.slice(prefix.length), count]));
}

/** Takes a letter off the stream; one that is not there is none the worse. */
export async function deleteLetter(bus: EventBus, id: bigint): Promise<void> {
  try {
    await bus.jsm.streams.deleteMessage(bus.stream(DEAD_LETTERS), Number(id), false);
  } catch (error) {
    if (!isApiError(error, JetStreamApiCodes.NoMessageFound) && !isApiError(error, NO_SUCH_MESSAGE)) throw error;
  }
}

function noLetters(error: unknown): { state: { subjects?: Record<string, number> } } {
  if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return { state: {} };
  throw error;
}
