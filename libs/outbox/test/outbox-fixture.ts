// Outbox, relay and stream of one spec, and a look at all of them.
import { jetstream } from '@nats-io/jetstream';
import { decodeEvent, type EventEnvelope } from '@souk/events';
import { sql } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { appendToOutbox, type OutboxEvent } from '../src/outbox.js';
import { OutboxRelay, type OutboxRelayOptions } from '../src/outbox-relay.js';

export const TYPE = 'souk.orders.v1.OrderPlaced';

const UNSENT = sql('test.unsent', 'SELECT count(*)::int AS rows FROM outbox WHERE sent_at IS NULL');

export interface OutboxFixture {
  postgres: TestDatabase;
  nats: TestNats;
  startRelay(options?: Partial<OutboxRelayOptions>): OutboxRelay;
  append(...events: OutboxEvent[]): Promise<void>;
  unsent(): Promise<number>;
  allSent(timeoutMs?: number): Promise<void>;
  /** Everything on the stream, in its order. */
  published(): Promise<EventEnvelope[]>;
  close(): Promise<void>;
}

export async function outboxFixture(): Promise<OutboxFixture> {
  const [postgres, nats] = await Promise.all([testDatabase({ migrations: 'libs/outbox/test/migrations' }), testNats()]);
  const relays: OutboxRelay[] = [];
  const unsent = async () => (await postgres.database.query<{ rows: number }>(UNSENT))[0]?.rows ?? -1;
  return {
    postgres,
    nats,
    startRelay: (options = {}) => {
      const common = { database: postgres.database, bus: nats.bus, source: 'orders', logger: createLogger('test') };
      const relay = new OutboxRelay({ ...common, ...options });
      relays.push(relay);
      relay.start();
      return relay;
    },
    append: (...events) => postgres.database.transaction((tx) => appendToOutbox(tx, events)),
    unsent,
    allSent: (timeoutMs = 5_000) => eventually(async () => expect(await unsent()).toBe(0), { timeoutMs }),
    published: () => readStream(nats),
    close: async () => {
      await Promise.all(relays.map((relay) => relay.stop()));
      await Promise.all([postgres.drop(), nats.close()]);
    },
  };
}

export function orderEvent(aggregateId: string, step: number): OutboxEvent {
  return { type: TYPE, aggregateId, data: { step } };
}

export function stepsOf(events: readonly EventEnvelope[], aggregateId: string): number[] {
  return events.filter((e) => e.aggregateId === aggregateId).map((e) => (JSON.parse(e.data) as { step: number }).step);
}

async function readStream({ bus }: TestNats): Promise<EventEnvelope[]> {
  const stream = await jetstream(bus.connection).streams.get(bus.stream('ORDERS'));
  const { state } = await stream.info();
  const events: EventEnvelope[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await stream.getMessage({ seq });
    if (message) events.push(decodeEvent(message.header, message.data));
  }
  return events;
}
