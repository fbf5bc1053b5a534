// Events are written in the transaction of the change that they tell of: both are committed or neither. Guarantees: one
// statement for any number of events, and their order is kept. Does not publish; that is the relay's work after the commit.
import { serviceOf } from '@souk/events';
import { sql, uuidv7, type Transaction } from '@souk/postgres';
import { callContext } from '@souk/telemetry';

/** A fact to publish. */
export interface OutboxEvent {
  /** Full name of the protobuf message, for example `souk.orders.v1.OrderConfirmed`. */
  type: string;
  /** What it happened to; events of one aggregate are published in the order of their writing. */
  aggregateId: string;
  /** The message's canonical JSON, from `Message.toJSON`. */
  data: unknown;
  /** A version 7 UUID; made where it is left out. */
  id?: string;
  /** The trace that caused it; the present call's where it is left out. */
  traceparent?: string;
}

/** Anything that writes a message as canonical JSON: every generated message type. */
export interface JsonCodec<M> {
  toJSON(message: M): unknown;
}

const APPEND = sql(
  'outbox.append',
  `INSERT INTO outbox (id, type, aggregate_id, data, traceparent)
   SELECT e.id, e.type, e.aggregate_id, e.data, e.traceparent
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
          WITH ORDINALITY AS e (id, type, aggregate_id, data, traceparent, position)
    ORDER BY e.position`,
);

/** Makes an event of a message: `outboxEvent('souk.orders.v1.OrderPlaced', order.id, { order }, OrderPlaced)`. */
export function outboxEvent<M>(type: string, aggregateId: string, message: M, codec: JsonCodec<M>): OutboxEvent {
  serviceOf(type);
  return { type, aggregateId, data: codec.toJSON(message) };
}

/** Writes the events, to be published once the transaction is committed. Call the relay's `wake` after it. */
export async function appendToOutbox(tx: Transaction, events: OutboxEvent[]): Promise<void> {
  if (events.length === 0) {
    return;
  }
  const { traceparent } = callContext();
  await tx.query(APPEND, [
    events.map((event) => event.id ?? uuidv7()),
    events.map((event) => event.type),
    events.map((event) => event.aggregateId),
    events.map((event) => JSON.stringify(event.data)),
    events.map((event) => event.traceparent ?? traceparent),
  ]);
}
