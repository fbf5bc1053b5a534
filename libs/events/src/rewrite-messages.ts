// Writes messages of a stream anew without what must be forgotten. Guarantees: what a message says besides is on the stream at
// any moment, under its own event id; the old one is deleted after the new one was acknowledged, and its bytes are overwritten;
// repeating it, also after a death at any moment, ends the same, though a message may then be there twice. Looks at each
// message since the given time, by its headers alone, so it takes as long as the stream is.
import { JetStreamApiCodes, type JsMsg } from '@nats-io/jetstream';
import { headers as newHeaders, nanos } from '@nats-io/transport-node';
import type { EventBus } from './event-bus.js';
import { isApiError, storedMessage } from './stored-message.js';

/** What a message is chosen by: its headers. */
export interface MessageHead {
  readonly eventId: string;
  readonly type: string;
  readonly aggregateId: string;
}

/** What to rewrite. */
export interface Rewriting {
  /** For example `ORDERS`. */
  readonly stream: string;
  /** Messages of before are left alone. */
  readonly since: Date;
  readonly chosen: (head: MessageHead) => boolean;
  /** The data without what must be forgotten; the same text where there is nothing of it. */
  readonly redact: (type: string, data: string) => string;
  /** Called between the new message and the end of the old one. */
  readonly moved: (event: { readonly eventId: string; readonly from: number; readonly to: number }) => Promise<void>;
}

const BATCH = 1_000;
const WAIT_MS = 1_000;
const FORGET_MS = 60_000;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** @returns how many messages were written anew */
export async function rewriteMessages(bus: EventBus, rewriting: Rewriting): Promise<number> {
  let rewritten = 0;
  for await (const sequence of chosenMessages(bus, rewriting)) {
    if (await rewrite(bus, rewriting, sequence)) rewritten += 1;
  }
  return rewritten;
}

/** Places of the chosen messages that were there at the start. */
async function* chosenMessages(bus: EventBus, rewriting: Rewriting): AsyncGenerator<number> {
  const stream = bus.stream(rewriting.stream);
  const last = await bus.jsm.streams.info(stream).then(({ state }) => state.last_seq, noStream);
  if (last === 0) return;
  const { name } = await bus.jsm.consumers.add(stream, {
    ack_policy: 'none',
    deliver_policy: 'by_start_time',
    opt_start_time: rewriting.since.toISOString(),
    headers_only: true,
    mem_storage: true,
    inactive_threshold: nanos(FORGET_MS),
  });
  try {
    const consumer = await bus.js.consumers.get(stream, name);
    for (let left = (await consumer.info()).num_pending; left > 0;) {
      const places: number[] = [];
      let got = 0;
      for await (const message of await consumer.fetch({ max_messages: Math.min(BATCH, left), expires: WAIT_MS })) {
        got += 1;
        if (message.seq > last) return;
        if (rewriting.chosen(headOf(message))) places.push(message.seq);
      }
      yield* places;
      // What is deleted meanwhile never comes.
      left = got === 0 ? 0 : left - got;
    }
  } finally {
    await bus.jsm.consumers.delete(stream, name).catch(() => undefined);
  }
}

function headOf({ headers }: Pick<JsMsg, 'headers'>): MessageHead {
  return {
    eventId: headers?.get('ce-id') ?? '',
    type: headers?.get('ce-type') ?? '',
    aggregateId: headers?.get('ce-subject') ?? '',
  };
}

async function rewrite(bus: EventBus, { stream, redact, moved }: Rewriting, from: number): Promise<boolean> {
  const message = await storedMessage(bus, stream, { seq: from });
  if (!message) return false;
  const { eventId, type } = headOf({ headers: message.header });
  const before = decoder.decode(message.data);
  const after = redact(type, before);
  if (after === before) return false;
  const headers = newHeaders();
  for (const [name, values] of message.header) values.forEach((value) => headers.append(name, value));
  // A repetition is known by it for two minutes.
  headers.set('Nats-Msg-Id', `${eventId}:redacted-at-${bus.stream(stream)}-${from}`);
  const { seq } = await bus.js.publish(message.subject, encoder.encode(after), { headers, timeout: 5_000 });
  await moved({ eventId, from, to: seq });
  await bus.jsm.streams.deleteMessage(bus.stream(stream), from, true);
  return true;
}

function noStream(error: unknown): number {
  if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return 0;
  throw error;
}
