// Database, bus and consumers of one spec, whose handler writes notes.
import { encodeEvent, ensureStream, serviceOf } from '@souk/events';
import { sql, uuidv7, type Transaction } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { EventConsumer, type EventConsumerOptions } from '../src/event-consumer.js';
import type { ReceivedEvent } from '../src/received-event.js';

export interface Note {
  note: string;
}
export type Handle = (tx: Transaction, events: ReceivedEvent<Note>[]) => Promise<void>;

export const TYPE = 'souk.orders.v1.OrderConfirmed';
export const DURABLE = 'inventory-OrderConfirmed';
export const logger = createLogger('test');

const WRITE = sql('test.effect', 'INSERT INTO effect SELECT * FROM unnest($1::uuid[], $2::text[])');
const READ = sql('test.effects', 'SELECT note FROM effect ORDER BY event_id');

/** A handler that notes what it gets. */
export const write: Handle = async (tx, events) => {
  await tx.query(WRITE, [events.map(({ id }) => id), events.map(({ data }) => data.note)]);
};

/** A handler that fails on such a note, and notes the others. */
export function failOn(poison: string): Handle {
  return async (tx, events) => {
    if (events.some(({ data }) => data.note === poison)) throw new Error('cannot\nstomach this');
    await write(tx, events);
  };
}

interface Publication {
  id?: string;
  /** An id of its own for the broker: as if the repetition came after its two minutes. */
  msgId?: string;
  data?: string;
  replayed?: boolean;
  type?: string;
}

export class InboxFixture {
  private readonly consumers: EventConsumer<Note>[] = [];

  private constructor(
    readonly postgres: TestDatabase,
    readonly nats: TestNats,
  ) {}

  static async make(): Promise<InboxFixture> {
    const migrations = 'libs/inbox/test/migrations';
    const [postgres, nats] = await Promise.all([testDatabase({ migrations }), testNats()]);
    return new InboxFixture(postgres, nats);
  }

  consumer(handle: Handle, options: Partial<EventConsumerOptions<Note>> = {}): EventConsumer<Note> {
    const consumer = new EventConsumer<Note>({
      database: this.postgres.database,
      bus: this.nats.bus,
      logger,
      durable: DURABLE,
      type: TYPE,
      decode: (json) => json as Note,
      handle,
      retryDelaysMs: [20],
      ...options,
    });
    this.consumers.push(consumer);
    return consumer;
  }

  async start(handle: Handle, options: Partial<EventConsumerOptions<Note>> = {}): Promise<EventConsumer<Note>> {
    const consumer = this.consumer(handle, options);
    await consumer.start();
    return consumer;
  }

  /** Publishes an event; answers its id. */
  async publish(note: string, publication: Publication = {}): Promise<string> {
    const { id = uuidv7(), msgId = uuidv7(), data = JSON.stringify({ note }), replayed, type = TYPE } = publication;
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    const event = { id, type, source: 'orders', aggregateId: note, time: new Date(), traceparent, data };
    const { headers, payload } = encodeEvent(event);
    if (replayed) headers.set('souk-replayed', 'true');
    const { bus } = this.nats;
    await ensureStream(bus, serviceOf(type));
    await bus.js.publish(bus.subject(type), payload, { headers, msgID: msgId });
    return id;
  }

  async effects(): Promise<string[]> {
    return (await this.postgres.database.query<{ note: string }>(READ)).map(({ note }) => note);
  }

  /** Events that the consumer has still to handle. */
  async unacknowledged(): Promise<number> {
    const { bus } = this.nats;
    const { num_ack_pending, num_pending } = await bus.jsm.consumers.info(bus.stream('ORDERS'), DURABLE);
    return num_ack_pending + num_pending;
  }

  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
    await Promise.all([this.postgres.drop(), this.nats.close()]);
  }
}
