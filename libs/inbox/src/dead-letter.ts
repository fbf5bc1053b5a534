// Where events go that a consumer cannot handle: the stream DEAD_LETTERS, with the original headers and data, and with
// what went wrong. Guarantees: the copy is acknowledged by the broker before the original is taken off; the same event is
// copied once (within the broker's two minutes).
import { headers as newHeaders } from '@nats-io/transport-node';
import type { JsMsg } from '@nats-io/jetstream';
import { ensureDeadLetters, type EventBus } from '@souk/events';

/** Copies the message to `dead.<durable>`. */
export async function publishDeadLetter(bus: EventBus, durable: string, message: JsMsg, error: unknown): Promise<void> {
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

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 500) || 'unknown';
}
