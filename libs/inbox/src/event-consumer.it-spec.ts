import { setTimeout as sleep } from 'node:timers/promises';
import { connectEvents, DEAD_LETTERS, storedMessage } from '@souk/events';
import { sql, uuidv7 } from '@souk/postgres';
import { callContext, traceIdOf } from '@souk/telemetry';
import { eventually, tcpProxy } from '@souk/testing';
import { failOn, InboxFixture, TYPE, write } from '../test/inbox-fixture.js';

const KILL = sql(
  'test.kill_consumers',
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
);

let inbox: InboxFixture;

beforeEach(async () => {
  inbox = await InboxFixture.make();
});
afterEach(() => inbox.close());

describe('the consumer', () => {
  it('hands over events that were there before it and events that come later', async () => {
    await inbox.publish('before');
    await inbox.start(write);
    await inbox.publish('after');
    await eventually(async () => expect(await inbox.effects()).toEqual(['before', 'after']));
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0));
  });

  it('handles an event once, however often and however late it is delivered (F57)', async () => {
    await inbox.start(write);
    const id = await inbox.publish('once');
    await inbox.publish('once', { id });
    await eventually(async () => expect(await inbox.effects()).toEqual(['once']));
    await inbox.publish('once', { id });
    await inbox.publish('last');
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0));
    expect(await inbox.effects()).toEqual(['once', 'last']);
  });

  it('handles an event once also when two replicas get it', async () => {
    const id = uuidv7();
    for (let copy = 0; copy < 20; copy++) {
      await inbox.publish('once', { id });
    }
    await Promise.all([inbox.start(write, { batch: 2 }), inbox.start(write, { batch: 2 })]);
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0));
    expect(await inbox.effects()).toEqual(['once']);
  });

  it('handles what has piled up together and in the order of the stream', async () => {
    const notes = Array.from({ length: 50 }, (_, index) => `n${String(index).padStart(2, '0')}`);
    for (const note of notes) {
      await inbox.publish(note);
    }
    const batches: string[][] = [];
    await inbox.start(async (tx, events) => {
      batches.push(events.map(({ data }) => data.note));
      await write(tx, events);
    });
    await eventually(async () => expect(await inbox.effects()).toEqual(notes));
    expect(batches.flat()).toEqual(notes);
    expect(batches.length).toBeLessThan(20);
  });

  it('runs in the trace of the event and says when something was committed', async () => {
    let trace: string | undefined;
    let commits = 0;
    await inbox.start(async () => void (trace = traceIdOf(callContext().traceparent)), {
      afterCommit: () => (commits += 1),
    });
    await inbox.publish('traced');
    await eventually(() => expect(commits).toBe(1));
    expect(trace).toBe('c'.repeat(32));
  });

  it('says which events are played again (F66)', async () => {
    const received: [string, boolean][] = [];
    await inbox.start(async (_tx, events) => {
      received.push(...events.map(({ data, replayed }): [string, boolean] => [data.note, replayed]));
    });
    await inbox.publish('new');
    await inbox.publish('old', { replayed: true });
    await eventually(() =>
      expect(received).toEqual([
        ['new', false],
        ['old', true],
      ]),
    );
  });

  it('repeats a failing event until it succeeds', async () => {
    let tries = 0;
    await inbox.start(async (tx, events) => {
      tries += 1;
      await write(tx, events);
      if (tries < 3) {
        throw new Error('not yet');
      }
    });
    await inbox.publish('stubborn');
    await eventually(async () => expect(await inbox.effects()).toEqual(['stubborn']));
    expect(tries).toBe(3);
  });

  it('gives a poisonous event up, keeps it for people to look at, and goes on with the others (F58, F59)', async () => {
    await inbox.publish('a');
    const id = await inbox.publish('poison');
    await inbox.publish('b');
    await inbox.publish('c', { data: 'not JSON' });
    await inbox.publish('d');
    await inbox.start(failOn('poison'), { maxDeliver: 3 });
    await eventually(async () => expect(await inbox.effects()).toEqual(['a', 'b', 'd']));
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0));

    const letters = await Promise.all([1, 2, 3].map((seq) => storedMessage(inbox.nats.bus, DEAD_LETTERS, { seq })));
    expect(letters.filter((letter) => letter !== undefined)).toHaveLength(2);
    const letter = letters.find((candidate) => candidate?.header.get('ce-id') === id);
    expect(letter?.header.get('souk-dead-error')).toBe('cannot stomach this');
    expect(letter?.header.get('souk-dead-subject')).toBe(inbox.nats.bus.subject(TYPE));
    expect(letter?.header.get('souk-dead-sequence')).toBe('2');
    expect(letter?.header.get('ce-type')).toBe(TYPE);
    expect(letter?.json()).toEqual({ note: 'poison' });
  });

  it('waits for a database that goes away instead of giving events up', async () => {
    await inbox.start(write, { maxDeliver: 1 });
    await inbox.publish('first');
    await eventually(async () => expect(await inbox.effects()).toEqual(['first']));
    for (let round = 0; round < 3; round++) {
      await Promise.all([inbox.postgres.database.query(KILL).catch(() => undefined), inbox.publish(`round ${round}`)]);
    }
    await eventually(async () => expect(await inbox.effects()).toHaveLength(4));
  });

  it('goes on when the broker has lost the stream and the consumer (F62)', async () => {
    await inbox.start(write);
    await inbox.publish('before');
    await eventually(async () => expect(await inbox.effects()).toEqual(['before']));
    await inbox.nats.bus.jsm.streams.delete(inbox.nats.bus.stream('ORDERS'));
    // While the broker still deletes the old stream's files it may refuse to write to the new one.
    await eventually(() => inbox.publish('after'));
    await eventually(async () => expect(await inbox.effects()).toEqual(['before', 'after']), { timeoutMs: 20_000 });
  });

  it('finishes what it has begun when it is stopped, and leaves the rest to others', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let begun = false;
    const first = await inbox.start(
      async (tx, events) => {
        begun = true;
        await held;
        await write(tx, events);
      },
      { batch: 1 },
    );
    await inbox.publish('one');
    await eventually(() => expect(begun).toBe(true));
    await inbox.publish('two');
    const stopping = first.stop();
    release();
    await stopping;
    expect(await inbox.effects()).toEqual(['one']);
    await inbox.start(write);
    await eventually(async () => expect(await inbox.effects()).toEqual(['one', 'two']));
  });

  it('leaves nothing behind that is on its way to it when it is stopped', async () => {
    const notes = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const first = await inbox.start(write, { batch: 10 });
    const publishing = notes.map((note) => inbox.publish(note));
    await publishing[50];
    await first.stop();
    await Promise.all(publishing);
    await inbox.start(write);
    await eventually(async () => expect((await inbox.effects()).toSorted()).toEqual(notes.toSorted()), {
      timeoutMs: 10_000,
    });
  });

  it('ends at once when nothing is in hand, also while more events are asked for', async () => {
    const consumer = await inbox.start(write);
    for (let count = 0; count < 200; count++) await inbox.publish('handled');
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0));
    const startedAt = performance.now();
    await consumer.stop();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('handles an event once though it takes longer than the broker waits (F60)', async () => {
    let calls = 0;
    await inbox.start(
      async (tx, events) => {
        calls += 1;
        await sleep(3_000);
        await write(tx, events);
      },
      { ackWaitMs: 1_000 },
    );
    await inbox.publish('slow');
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0), { timeoutMs: 10_000 });
    expect([calls, await inbox.effects()]).toEqual([1, ['slow']]);
  });

  it('does nothing twice that a dead replica had done and not told the broker (F61)', async () => {
    const wire = await tcpProxy(inbox.nats.url);
    const bus = await connectEvents({ url: wire.address, name: 'dying', prefix: inbox.nats.prefix, retryMs: 50 });
    const dying = await inbox.start(write, { bus, ackWaitMs: 1_000, afterCommit: () => void wire.cut() });
    await inbox.publish('done');
    await eventually(async () => expect(await inbox.effects()).toEqual(['done']));
    await inbox.start(write, { ackWaitMs: 1_000 });
    expect(await inbox.unacknowledged()).toBe(1);
    await eventually(async () => expect(await inbox.unacknowledged()).toBe(0));
    expect(await inbox.effects()).toEqual(['done']);
    await dying.stop();
    await bus.close();
    await wire.close();
  });
});
