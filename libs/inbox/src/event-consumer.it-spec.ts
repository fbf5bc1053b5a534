import { jetstream } from '@nats-io/jetstream';
import { DEAD_LETTERS, encodeEvent, ensureStream } from '@souk/events';
import { sql, uuidv7, type Transaction } from '@souk/postgres';
import { callContext, createLogger, traceIdOf } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { EventConsumer, type EventConsumerOptions } from './event-consumer.js';
import type { ReceivedEvent } from './received-event.js';

interface Note {
  note: string;
}
type Handle = (tx: Transaction, events: ReceivedEvent<Note>[]) => Promise<void>;

const TYPE = 'souk.orders.v1.OrderConfirmed';
const WRITE = sql('test.effect', 'INSERT INTO effect SELECT * FROM unnest($1::uuid[], $2::text[])');
const READ = sql('test.effects', 'SELECT note FROM effect ORDER BY event_id');
const KILL = sql(
  'test.kill_consumers',
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
);
const logger = createLogger('test');

let postgres: TestDatabase;
let nats: TestNats;
const consumers: EventConsumer<Note>[] = [];

beforeEach(async () => {
  [postgres, nats] = await Promise.all([testDatabase({ migrations: 'libs/inbox/test/migrations' }), testNats()]);
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  await Promise.all([postgres.drop(), nats.close()]);
});

const write: Handle = async (tx, events) => {
  await tx.query(WRITE, [events.map(({ id }) => id), events.map(({ data }) => data.note)]);
};

async function startConsumer(handle: Handle, options: Partial<EventConsumerOptions<Note>> = {}) {
  const consumer = new EventConsumer<Note>({
    database: postgres.database,
    bus: nats.bus,
    logger,
    durable: 'inventory-OrderConfirmed',
    type: TYPE,
    decode: (json) => json as Note,
    handle,
    retryDelaysMs: [20],
    ...options,
  });
  consumers.push(consumer);
  await consumer.start();
  return consumer;
}

async function publish(
  note: string,
  { id = uuidv7(), msgId = uuidv7(), data = JSON.stringify({ note }), replayed = false } = {},
) {
  const time = new Date();
  const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
  const event = { id, type: TYPE, source: 'orders', aggregateId: note, time, traceparent, data };
  const { headers, payload } = encodeEvent(event);
  // An id of its own for the broker: as if the repetition came after its two minutes.
  headers.set('Nats-Msg-Id', msgId);
  if (replayed) headers.set('souk-replayed', 'true');
  await ensureStream(nats.bus, 'orders');
  await nats.bus.js.publish(nats.bus.subject(TYPE), payload, { headers });
  return id;
}

async function effects(): Promise<string[]> {
  return (await postgres.database.query<{ note: string }>(READ)).map(({ note }) => note);
}

async function unacknowledged(): Promise<number> {
  const { num_ack_pending, num_pending } = await nats.bus.jsm.consumers.info(
    nats.bus.stream('ORDERS'),
    'inventory-OrderConfirmed',
  );
  return num_ack_pending + num_pending;
}

describe('the consumer', () => {
  it('hands over events that were there before it and events that come later', async () => {
    await publish('before');
    await startConsumer(write);
    await publish('after');
    await eventually(async () => expect(await effects()).toEqual(['before', 'after']));
    await eventually(async () => expect(await unacknowledged()).toBe(0));
  });

  it('handles an event once, however often it is delivered', async () => {
    await startConsumer(write);
    const id = await publish('once');
    await publish('once', { id });
    await eventually(async () => expect(await effects()).toEqual(['once']));
    await publish('once', { id });
    await publish('last');
    await eventually(async () => expect(await unacknowledged()).toBe(0));
    expect(await effects()).toEqual(['once', 'last']);
  });

  it('handles an event once also when two replicas get it', async () => {
    const id = uuidv7();
    for (let copy = 0; copy < 20; copy++) {
      await publish('once', { id });
    }
    await Promise.all([startConsumer(write, { batch: 2 }), startConsumer(write, { batch: 2 })]);
    await eventually(async () => expect(await unacknowledged()).toBe(0));
    expect(await effects()).toEqual(['once']);
  });

  it('handles what has piled up together and in the order of the stream', async () => {
    const notes = Array.from({ length: 50 }, (_, index) => `n${String(index).padStart(2, '0')}`);
    for (const note of notes) {
      await publish(note);
    }
    const batches: string[][] = [];
    await startConsumer(async (tx, events) => {
      batches.push(events.map(({ data }) => data.note));
      await write(tx, events);
    });
    await eventually(async () => expect(await effects()).toEqual(notes));
    expect(batches.flat()).toEqual(notes);
    expect(batches.length).toBeLessThan(20);
  });

  it('runs in the trace of the event and says when something was committed', async () => {
    let trace: string | undefined;
    let commits = 0;
    await startConsumer(async () => void (trace = traceIdOf(callContext().traceparent)), {
      afterCommit: () => (commits += 1),
    });
    await publish('traced');
    await eventually(() => expect(commits).toBe(1));
    expect(trace).toBe('c'.repeat(32));
  });

  it('says which events are played again', async () => {
    const received: [string, boolean][] = [];
    await startConsumer(async (_tx, events) => {
      received.push(...events.map(({ data, replayed }): [string, boolean] => [data.note, replayed]));
    });
    await publish('new');
    await publish('old', { replayed: true });
    await eventually(() =>
      expect(received).toEqual([
        ['new', false],
        ['old', true],
      ]),
    );
  });

  it('repeats a failing event until it succeeds', async () => {
    let tries = 0;
    await startConsumer(async (tx, events) => {
      tries += 1;
      await write(tx, events);
      if (tries < 3) {
        throw new Error('not yet');
      }
    });
    await publish('stubborn');
    await eventually(async () => expect(await effects()).toEqual(['stubborn']));
    expect(tries).toBe(3);
  });

  it('gives a poisonous event up, keeps it for people to look at, and goes on with the others', async () => {
    const poison: Handle = async (tx, events) => {
      if (events.some(({ data }) => data.note === 'poison')) {
        throw new Error('cannot\nstomach this');
      }
      await write(tx, events);
    };
    await publish('a');
    const id = await publish('poison');
    await publish('b');
    await publish('c', { data: 'not JSON' });
    await publish('d');
    await startConsumer(poison, { maxDeliver: 3 });
    await eventually(async () => expect(await effects()).toEqual(['a', 'b', 'd']));
    await eventually(async () => expect(await unacknowledged()).toBe(0));

    const stream = await jetstream(nats.bus.connection).streams.get(nats.bus.stream(DEAD_LETTERS));
    const subject = nats.bus.subject('dead.inventory-OrderConfirmed');
    const { state } = await nats.bus.jsm.streams.info(nats.bus.stream(DEAD_LETTERS), { subjects_filter: subject });
    expect(state.subjects).toEqual({ [subject]: 2 });
    const letters = await Promise.all([1, 2].map((seq) => stream.getMessage({ seq })));
    const letter = letters.find((candidate) => candidate?.header.get('ce-id') === id);
    expect(letter?.header.get('souk-dead-error')).toBe('cannot stomach this');
    expect(letter?.header.get('souk-dead-subject')).toBe(nats.bus.subject(TYPE));
    expect(letter?.header.get('souk-dead-sequence')).toBe('2');
    expect(letter?.header.get('ce-type')).toBe(TYPE);
    expect(letter?.json()).toEqual({ note: 'poison' });
  });

  it('waits for a database that goes away instead of giving events up', async () => {
    await startConsumer(write, { maxDeliver: 1 });
    await publish('first');
    await eventually(async () => expect(await effects()).toEqual(['first']));
    for (let round = 0; round < 3; round++) {
      await Promise.all([postgres.database.query(KILL).catch(() => undefined), publish(`round ${round}`)]);
    }
    await eventually(async () => expect(await effects()).toHaveLength(4));
  });

  it('goes on when the broker has lost the stream and the consumer', async () => {
    await startConsumer(write);
    await publish('before');
    await eventually(async () => expect(await effects()).toEqual(['before']));
    await nats.bus.jsm.streams.delete(nats.bus.stream('ORDERS'));
    // While the broker still deletes the old stream's files it may refuse to write to the new one.
    await eventually(() => publish('after'));
    await eventually(async () => expect(await effects()).toEqual(['before', 'after']), { timeoutMs: 20_000 });
  });

  it('finishes what it has begun when it is stopped, and leaves the rest to others', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let begun = false;
    const first = await startConsumer(
      async (tx, events) => {
        begun = true;
        await held;
        await write(tx, events);
      },
      { batch: 1 },
    );
    await publish('one');
    await eventually(() => expect(begun).toBe(true));
    await publish('two');
    const stopping = first.stop();
    release();
    await stopping;
    expect(await effects()).toEqual(['one']);
    await startConsumer(write);
    await eventually(async () => expect(await effects()).toEqual(['one', 'two']));
  });

  it('leaves nothing behind that is on its way to it when it is stopped', async () => {
    const notes = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const first = await startConsumer(write, { batch: 10 });
    const publishing = notes.map((note) => publish(note));
    await publishing[50];
    await first.stop();
    await Promise.all(publishing);
    await startConsumer(write);
    await eventually(async () => expect((await effects()).toSorted()).toEqual(notes.toSorted()), { timeoutMs: 10_000 });
  });

  it('ends at once when nothing is in hand, also while more events are asked for', async () => {
    const consumer = await startConsumer(write);
    for (let count = 0; count < 200; count++) await publish('handled');
    await eventually(async () => expect(await unacknowledged()).toBe(0));
    const startedAt = performance.now();
    await consumer.stop();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
