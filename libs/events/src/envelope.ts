// The envelope of an event: CloudEvents 1.0 in NATS headers ("binary mode"), the data as the message's canonical JSON, so
// that a stream can be read by eye. Guarantees: what `encodeEvent` writes, `decodeEvent` reads back the same; a message
// that is no event of ours is an error, never an event with holes. The id doubles as Nats-Msg-Id: the broker drops
// repetitions within two minutes. That helps and does not suffice: consumers have an inbox.
import { headers as newHeaders, type MsgHdrs } from '@nats-io/transport-node';

/** One fact, as it travels. */
export interface EventEnvelope {
  id: string;
  /** Full name of the protobuf message, for example `souk.orders.v1.OrderConfirmed`. */
  type: string;
  /** The service that states it, for example `orders`. */
  source: string;
  aggregateId: string;
  time: Date;
  traceparent?: string;
  /** The message as canonical JSON text. */
  data: string;
}

/** An envelope in the form that NATS carries. */
export interface EncodedEvent {
  headers: MsgHdrs;
  payload: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Writes the envelope. */
export function encodeEvent(event: EventEnvelope): EncodedEvent {
  const headers = newHeaders();
  headers.set('ce-specversion', '1.0');
  headers.set('ce-id', event.id);
  headers.set('ce-source', `/souk/${event.source}`);
  headers.set('ce-type', event.type);
  headers.set('ce-subject', event.aggregateId);
  headers.set('ce-time', event.time.toISOString());
  headers.set('content-type', 'application/json');
  headers.set('Nats-Msg-Id', event.id);
  if (event.traceparent) {
    headers.set('traceparent', event.traceparent);
  }
  return { headers, payload: encoder.encode(event.data) };
}

/** Reads an envelope; throws where the message is none. */
export function decodeEvent(headers: MsgHdrs | undefined, payload: Uint8Array): EventEnvelope {
  const id = required(headers, 'ce-id').toLowerCase();
  if (!UUID.test(id)) {
    throw new Error('The header ce-id is not a UUID.');
  }
  const time = new Date(required(headers, 'ce-time'));
  if (Number.isNaN(time.getTime())) {
    throw new Error('The header ce-time is not a time.');
  }
  return {
    id,
    type: required(headers, 'ce-type'),
    source: required(headers, 'ce-source').replace(/^\/souk\//, ''),
    aggregateId: required(headers, 'ce-subject'),
    time,
    traceparent: headers?.get('traceparent') || undefined,
    data: decoder.decode(payload),
  };
}

function required(headers: MsgHdrs | undefined, name: string): string {
  const value = headers?.get(name);
  if (!value) {
    throw new Error(`The header ${name} is missing.`);
  }
  return value;
}
