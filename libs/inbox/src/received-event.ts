// A message of the broker on its way to the handler. Decoding may fail: such a message is treated like an event whose
// handling fails, since a newer release may be able to read it.
import type { JsMsg } from '@nats-io/jetstream';
import { decodeEvent } from '@souk/events';

/** An event as the handler gets it. */
export interface ReceivedEvent<T> {
  id: string;
  type: string;
  aggregateId: string;
  data: T;
  time: Date;
  traceparent?: string;
  /** Played again, to rebuild something from the stream: nobody outside is to be told of it a second time. */
  replayed: boolean;
}

const REPLAYED = 'souk-replayed';

/** A message with its event, or with what kept it from being read. */
export type Delivery<T> = { message: JsMsg } & ({ event: ReceivedEvent<T> } | { event?: undefined; error: unknown });

/** A delivery whose event could be read. */
export type Readable<T> = { message: JsMsg; event: ReceivedEvent<T> };

/** Reads the message; never throws. */
export function toDelivery<T>(message: JsMsg, decode: (json: unknown) => T): Delivery<T> {
  try {
    const { id, type, aggregateId, time, traceparent, data } = decodeEvent(message.headers, message.data);
    const replayed = message.headers?.get(REPLAYED) === 'true';
    return { message, event: { id, type, aggregateId, time, traceparent, replayed, data: decode(JSON.parse(data)) } };
  } catch (error) {
    return { message, error };
  }
}

/** True when the event could be read. */
export function isReadable<T>(delivery: Delivery<T>): delivery is Readable<T> {
  return delivery.event !== undefined;
}
