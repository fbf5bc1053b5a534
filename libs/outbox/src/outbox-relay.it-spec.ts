import { ensureStream, type EventBus } from '@souk/events';
import { Database, sql, uuidv7 } from '@souk/postgres';
import { runInContext } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { orderEvent, outboxFixture, stepsOf, TYPE, type OutboxFixture } from '../test/outbox-fixture.js';
import { appendToOutbox, outboxEvent } from './outbox.js';

const KILL_OTHERS = sql(
  'test.kill_others',
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()`,
);
const KILL_NAMED = sql(
  'test.kill_named',
  'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
);

let outbox: OutboxFixture;

beforeEach(async () => {
  outbox = await outboxFixture();
});
afterEach(() => outbox.close());

describe('the outbox', () => {
  it('keeps nothing of a transaction that is rolled back', async () => {
    const work = outbox.postgres.database.transaction(async (tx) => {
      await appendToOutbox(tx, [orderEvent('a', 1)]);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await outbox.unsent()).toBe(0);
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
    await runInContext({ requestId: 'r', traceparent }, () => outbox.append({ ...orderEvent('a', 1), id }));
    outbox.startRelay();
    await outbox.allSent();
    expect(await outbox.published()).toMatchObject([
      { id, type: TYPE, source: 'orders', aggregateId: 'a', traceparent, data: '{"step":1}' },
    ]);
  });

  it('publishes soon after a wake, without waiting to look by itself', async () => {
    const relay = outbox.startRelay({ pollMs: 60_000 });
    await outbox.append(orderEvent('a', 1));
    relay.wake();
    await outbox.allSent(2_000);
  });

  it('finds what a process left behind that died between commit and wake (F55)', async () => {
    outbox.startRelay({ pollMs: 50 });
    await outbox.append(orderEvent('a', 1));
    await outbox.allSent(2_000);
  });

  it('keeps the order of each aggregate over many rounds', async () => {
    for (let step = 0; step < 6; step++) {
      await outbox.append(...['a', 'b', 'c', 'd', 'e'].map((id) => orderEvent(id, step)), orderEvent('a', step + 100));
    }
    outbox.startRelay({ batch: 7 });
    await outbox.allSent();
    const events = await outbox.published();
    expect(events).toHaveLength(36);
    expect(stepsOf(events, 'a')).toEqual([0, 100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105]);
    expect(stepsOf(events, 'e')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('publishes once and in order also when two replicas relay', async () => {
    const relaysAtWork = [outbox.startRelay({ batch: 3 }), outbox.startRelay({ batch: 3 })];
    for (let step = 0; step < 20; step++) {
      await outbox.append(orderEvent('a', step), orderEvent('b', step));
      relaysAtWork.forEach((relay) => relay.wake());
    }
    await outbox.allSent();
    const events = await outbox.published();
    expect(events).toHaveLength(40);
    expect(stepsOf(events, 'a')).toEqual([...Array(20).keys()]);
  });

  it('does not lose an event whose transaction commits after a later one was published', async () => {
    const relay = outbox.startRelay();
    let commitFirst: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (commitFirst = resolve));
    const slow = outbox.postgres.database.transaction(async (tx) => {
      await appendToOutbox(tx, [orderEvent('slow', 1)]);
      await held;
    });
    await outbox.append(orderEvent('fast', 1));
    relay.wake();
    await eventually(async () => expect(stepsOf(await outbox.published(), 'fast')).toEqual([1]));
    commitFirst();
    await slow;
    relay.wake();
    await eventually(async () => expect(stepsOf(await outbox.published(), 'slow')).toEqual([1]));
  });

  it('makes the stream anew when the broker has lost it, and goes on (F62)', async () => {
    const relay = outbox.startRelay();
    await outbox.append(orderEvent('a', 1));
    relay.wake();
    await outbox.allSent();
    await outbox.nats.bus.jsm.streams.delete(outbox.nats.bus.stream('ORDERS'));
    await outbox.append(orderEvent('a', 2));
    relay.wake();
    await outbox.allSent();
    expect(stepsOf(await outbox.published(), 'a')).toEqual([2]);
  });

  it('outlives the loss of its database connection', async () => {
    outbox.startRelay({ pollMs: 20 });
    await outbox.postgres.database.query(KILL_OTHERS).catch(() => undefined);
    await outbox.append(orderEvent('a', 1));
    await outbox.allSent();
  });

  it('publishes again what it may have published before it died (F55)', async () => {
    const name = 'dying relay';
    const database = Database.connect({ url: outbox.postgres.url, name, poolSize: 1 });
    const die = () => outbox.postgres.database.query(KILL_NAMED, [name]);
    let published = 0;
    const bus = withPublish(outbox.nats.bus, (publish) => async (...args) => {
      const ack = await publish(...args);
      if (++published === 3) await die();
      return ack;
    });
    await outbox.append(...[1, 2, 3, 4].map((step) => orderEvent('a', step)));
    const relay = outbox.startRelay({ bus, database });
    await outbox.allSent();
    expect(published).toBeGreaterThan(4);
    expect(stepsOf(await outbox.published(), 'a')).toEqual([1, 2, 3, 4]);
    await relay.stop();
    await database.close();
  });

  it('drains what has piled up for long in rounds of bounded size and in order (F64)', async () => {
    const events = Array.from({ length: 1_200 }, (_, step) => orderEvent(`order ${step % 40}`, step));
    for (let index = 0; index < events.length; index += 500) await outbox.append(...events.slice(index, index + 500));
    const { bus, most } = counting(outbox.nats.bus);
    outbox.startRelay({ bus, batch: 100 });
    await outbox.allSent(20_000);
    expect(most()).toBeLessThanOrEqual(100);
    const published = await outbox.published();
    expect(published).toHaveLength(1_200);
    expect(stepsOf(published, 'order 7')).toEqual(Array.from({ length: 30 }, (_, round) => round * 40 + 7));
  });

  it('finishes its round when it is stopped', async () => {
    await ensureStream(outbox.nats.bus, 'orders');
    await outbox.append(...Array.from({ length: 300 }, (_, step) => orderEvent(`a${step}`, step)));
    const relay = outbox.startRelay();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await relay.stop();
    expect(300 - (await outbox.unsent())).toBe((await outbox.published()).length);
  });
});

type Publish = EventBus['js']['publish'];

/** The bus as seen by something that wraps its publishing. */
function withPublish(bus: EventBus, wrap: (publish: Publish) => Publish): EventBus {
  const js = Object.create(bus.js, { publish: { value: wrap(bus.js.publish.bind(bus.js)) } }) as EventBus['js'];
  return Object.create(bus, { js: { value: js } }) as EventBus;
}

/** Counts how many events are on their way at the same time. */
function counting(bus: EventBus): { bus: EventBus; most: () => number } {
  let [now, most] = [0, 0];
  const counted = withPublish(bus, (publish) => (...args) => {
    most = Math.max(most, ++now);
    return publish(...args).finally(() => now--);
  });
  return { bus: counted, most: () => most };
}
