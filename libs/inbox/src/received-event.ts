// A message of the broker on its way to the handler. Decoding may fail: such a message is treated like an event whose
// handling fails, since a newer release may be able to read it.
import type { MsgHdrs } from '@nats-io/transport-node';
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

/** What an event is read from: a message on its way, or one that was kept. */
export interface RawEvent {
  readonly headers?: MsgHdrs;
  readonly data: Uint8Array;
}

/** A message with its event, or with what kept it from being read. */
export type Delivery<T, M extends RawEvent> =
  Readable<T, M> | { readonly message: M; readonly event?: undefined; readonly error: unknown };

/** A delivery whose event could be read. */
export interface Readable<T, M extends RawEvent> {
  readonly message: M;
  readonly event: ReceivedEvent<T>;
}

/**
 * Reads the message; never throws.
 * @param playedAgain marks the event as replayed, whatever the message says
 */
export function toDelivery<T, M extends RawEvent>(
  message: M,
  decode: (json: unknown) => T,
  playedAgain = false,
): Delivery<T, M> {
  try {
    const { id, type, aggregateId, time, traceparent, data } = decodeEvent(message.headers, message.data);
    const replayed = playedAgain || message.headers?.get(REPLAYED) === 'true';
    return { message, event: { id, type, aggregateId, time, traceparent, replayed, data: decode(JSON.parse(data)) } };
  } catch (error) {
    return { message, error };
  }
}

/** True when the event could be read. */
export function isReadable<T, M extends RawEvent>(delivery: Delivery<T, M>): delivery is Readable<T, M> {
  return delivery.event !== undefined;
}
