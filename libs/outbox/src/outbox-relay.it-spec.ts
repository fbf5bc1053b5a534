import { jetstream } from '@nats-io/jetstream';
import { decodeEvent, ensureStream, type EventEnvelope } from '@souk/events';
import { sql, uuidv7 } from '@souk/postgres';
import { createLogger, runInContext } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { OutboxRelay } from './outbox-relay.js';
import { appendToOutbox, outboxEvent, type OutboxEvent } from './outbox.js';

const TYPE = 'souk.orders.v1.OrderPlaced';
const UNSENT = sql('test.unsent', 'SELECT count(*)::int AS rows FROM outbox WHERE sent_at IS NULL');
const logger = createLogger('test');

let postgres: TestDatabase;
let nats: TestNats;
const relays: OutboxRelay[] = [];

beforeEach(async () => {
  [postgres, nats] = await Promise.all([testDatabase({ migrations: 'libs/outbox/test/migrations' }), testNats()]);
});

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  await Promise.all([postgres.drop(), nats.close()]);
});

function startRelay(options: { pollMs?: number; batch?: number } = {}): OutboxRelay {
  const relay = new OutboxRelay({ database: postgres.database, bus: nats.bus, source: 'orders', logger, ...options });
  relays.push(relay);
  relay.start();
  return relay;
}

function orderEvent(aggregateId: string, step: number): OutboxEvent {
  return { type: TYPE, aggregateId, data: { step } };
}

function append(...events: OutboxEvent[]): Promise<void> {
  return postgres.database.transaction((tx) => appendToOutbox(tx, events));
}

async function unsent(): Promise<number> {
  const [row] = await postgres.database.query<{ rows: number }>(UNSENT);
  return row?.rows ?? -1;
}

/** Everything on the stream, in its order. */
async function published(): Promise<EventEnvelope[]> {
  const stream = await jetstream(nats.bus.connection).streams.get(nats.bus.stream('ORDERS'));
  const { state } = await stream.info();
  const events: EventEnvelope[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await stream.getMessage({ seq });
    if (message) {
      events.push(decodeEvent(message.header, message.data));
    }
  }
  return events;
}

const stepsOf = (events: EventEnvelope[], aggregateId: string) =>
  events.filter((e) => e.aggregateId === aggregateId).map((e) => (JSON.parse(e.data) as { step: number }).step);

describe('the outbox', () => {
  it('keeps nothing of a transaction that is rolled back', async () => {
    const work = postgres.database.transaction(async (tx) => {
      await appendToOutbox(tx, [orderEvent('a', 1)]);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await unsent()).toBe(0);
  });

  it('writes a message as canonical JSON', () => {
    const codec = { toJSON: ({ amount }: { amount: bigint }) => ({ amount: amount.toString() }) };
    expect(outboxEvent(TYPE, 'a', { amount: 5n }, codec)).toEqual({
      type: TYPE,
      aggregateId: 'a',
      data: { amount: '5' },
    });
    expect(() => outboxEvent('OrderPlaced', 'a', { amount: 5n }, codec)).toThrow('full name');
  });
});

describe('the relay', () => {
  it('publishes with everything that the event carries', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const id = uuidv7();
    await runInContext({ requestId: 'r', traceparent }, () => append({ ...orderEvent('a', 1), id }));
    startRelay();
    await eventually(async () => expect(await unsent()).toBe(0));
    expect(await published()).toMatchObject([
      { id, type: TYPE, source: 'orders', aggregateId: 'a', traceparent, data: '{"step":1}' },
    ]);
  });

  it('publishes soon after a wake, without waiting to look by itself', async () => {
    const relay = startRelay({ pollMs: 60_000 });
    await append(orderEvent('a', 1));
    relay.wake();
    await eventually(async () => expect(await unsent()).toBe(0), { timeoutMs: 2_000 });
  });

  it('finds what a process left behind that died between commit and wake', async () => {
    startRelay({ pollMs: 50 });
    await append(orderEvent('a', 1));
    await eventually(async () => expect(await unsent()).toBe(0), { timeoutMs: 2_000 });
  });

  it('keeps the order of each aggregate over many rounds', async () => {
    for (let step = 0; step < 6; step++) {
      await append(...['a', 'b', 'c', 'd', 'e'].map((id) => orderEvent(id, step)), orderEvent('a', step + 100));
    }
    startRelay({ batch: 7 });
    await eventually(async () => expect(await unsent()).toBe(0));
    const events = await published();
    expect(events).toHaveLength(36);
    expect(stepsOf(events, 'a')).toEqual([0, 100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105]);
    expect(stepsOf(events, 'e')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('publishes once and in order also when two replicas relay', async () => {
    const relaysAtWork = [startRelay({ batch: 3 }), startRelay({ batch: 3 })];
    for (let step = 0; step < 20; step++) {
      await append(orderEvent('a', step), orderEvent('b', step));
      relaysAtWork.forEach((relay) => relay.wake());
    }
    await eventually(async () => expect(await unsent()).toBe(0));
    const events = await published();
    expect(events).toHaveLength(40);
    expect(stepsOf(events, 'a')).toEqual([...Array(20).keys()]);
  });

  it('does not lose an event whose transaction commits after a later one was published', async () => {
    const relay = startRelay();
    let commitFirst: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (commitFirst = resolve));
    const slow = postgres.database.transaction(async (tx) => {
      await appendToOutbox(tx, [orderEvent('slow', 1)]);
      await held;
    });
    await append(orderEvent('fast', 1));
    relay.wake();
    await eventually(async () => expect(stepsOf(await published(), 'fast')).toEqual([1]));
    commitFirst();
    await slow;
    relay.wake();
    await eventually(async () => expect(stepsOf(await published(), 'slow')).toEqual([1]));
  });

  it('makes the stream anew when the broker has lost it, and goes on', async () => {
    const relay = startRelay();
    await append(orderEvent('a', 1));
    relay.wake();
    await eventually(async () => expect(await unsent()).toBe(0));
    await nats.bus.jsm.streams.delete(nats.bus.stream('ORDERS'));
    await append(orderEvent('a', 2));
    relay.wake();
    await eventually(async () => expect(await unsent()).toBe(0));
    expect(stepsOf(await published(), 'a')).toEqual([2]);
  });

  it('outlives the loss of its database connection', async () => {
    startRelay({ pollMs: 20 });
    await postgres.database
      .query(
        sql(
          'test.kill_others',
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()`,
        ),
      )
      .catch(() => undefined);
    await append(orderEvent('a', 1));
    await eventually(async () => expect(await unsent()).toBe(0));
  });

  it('finishes its round when it is stopped', async () => {
    await ensureStream(nats.bus, 'orders');
    await append(...Array.from({ length: 300 }, (_, step) => orderEvent(`a${step}`, step)));
    const relay = startRelay();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await relay.stop();
    expect(300 - (await unsent())).toBe((await published()).length);
  });
});
