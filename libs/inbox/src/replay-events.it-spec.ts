import { eventually } from '@souk/testing';
import { DURABLE, failOn, InboxFixture, logger, write, type Handle } from '../test/inbox-fixture.js';
import { DeadLetters } from './dead-letters.js';
import { replayEvents, type ReplayRange } from './replay-events.js';

let inbox: InboxFixture;

beforeEach(async () => {
  inbox = await InboxFixture.make();
});
afterEach(() => inbox.close());

const EVER = { from: new Date(0), to: new Date(8e15) };

/** Publishes an event, and answers an instant after it. */
async function publishThenTick(note: string): Promise<Date> {
  await inbox.publish(note);
  const after = new Date(Date.now() + 2);
  await new Promise((resolve) => setTimeout(resolve, 5));
  return after;
}

function replay(handle: Handle, range: Partial<ReplayRange> = {}) {
  return replayEvents(inbox.nats.bus, inbox.consumer(handle), { ...EVER, ...range });
}

it('hands over what was published in the time, in the order of the stream, and says that it is a replay (F66)', async () => {
  await inbox.publish('before');
  const from = await publishThenTick('just before');
  for (let n = 100; n < 350; n++) await inbox.publish(`n${n}`);
  const to = await publishThenTick('last');
  await inbox.publish('after');
  const received: string[] = [];
  const count = await replay(
    async (tx, events) => {
      expect(events.every(({ replayed }) => replayed)).toBe(true);
      received.push(...events.map(({ data }) => data.note));
      await write(tx, events);
    },
    { from, to },
  );
  expect(count).toEqual({ handled: 251, skipped: 0, failed: 0 });
  expect(received).toEqual([...Array.from({ length: 250 }, (_, index) => `n${index + 100}`), 'last']);
});

it('skips what the consumer has handled, unless it is to handle it again', async () => {
  await inbox.start(write);
  await inbox.publish('a');
  await inbox.publish('b');
  await eventually(async () => expect(await inbox.effects()).toEqual(['a', 'b']));
  expect(await replay(write)).toEqual({ handled: 0, skipped: 2, failed: 0 });
  const again: string[] = [];
  const collect: Handle = async (_tx, events) => void again.push(...events.map(({ data }) => data.note));
  expect(await replay(collect, { again: true })).toEqual({ handled: 2, skipped: 0, failed: 0 });
  expect(again).toEqual(['a', 'b']);
});

it('makes dead letters of what fails, and goes on', async () => {
  for (const note of ['a', 'poison', 'b']) await inbox.publish(note);
  expect(await replay(failOn('poison'))).toEqual({ handled: 2, skipped: 0, failed: 1 });
  expect(await inbox.effects()).toEqual(['a', 'b']);
  const letters = new DeadLetters({ bus: inbox.nats.bus, logger, service: 'inventory', consumers: [] });
  expect(await letters.list({}, { limit: 9 })).toMatchObject([{ consumer: DURABLE, aggregateId: 'poison' }]);
});

it('has nothing to do where nothing was published', async () => {
  expect(await replay(write)).toEqual({ handled: 0, skipped: 0, failed: 0 });
});
