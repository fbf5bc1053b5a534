import { eventually } from '@souk/testing';
import { DURABLE, failOn, InboxFixture, logger, TYPE, write, type Note } from '../test/inbox-fixture.js';
import { countLetters } from './dead-letter.js';
import { DeadLetters } from './dead-letters.js';
import type { EventConsumer } from './event-consumer.js';

const FULFILLED = { durable: 'inventory-OrderFulfilled', type: 'souk.orders.v1.OrderFulfilled' };
const FOREIGN = { durable: 'notifications-OrderCancelled', type: 'souk.orders.v1.OrderCancelled' };

let inbox: InboxFixture;

beforeEach(async () => {
  inbox = await InboxFixture.make();
});
afterEach(() => inbox.close());

function lettersOf(service: string, ...consumers: EventConsumer<Note>[]): DeadLetters {
  return new DeadLetters({ bus: inbox.nats.bus, logger, service, consumers });
}

/** Lets a consumer give up all of these. */
async function giveUp(notes: string[], { durable = DURABLE, type = TYPE } = {}) {
  const broken = await inbox.start(() => Promise.reject(new Error('broken')), { maxDeliver: 1, durable, type });
  for (const note of notes) await inbox.publish(note, { type });
  const count = async () => (await countLetters(inbox.nats.bus, durable)).get(durable);
  await eventually(async () => expect(await count()).toBe(notes.length));
  await broken.stop();
}

async function notesOf(letters: DeadLetters, ...page: Parameters<DeadLetters['list']>): Promise<string[]> {
  return (await letters.list(...page)).map(({ aggregateId }) => aggregateId);
}

const ALL = [{}, { limit: 100 }] as const;

describe('the list', () => {
  it('is empty where nothing was ever given up', async () => {
    expect(await lettersOf('inventory').list(...ALL)).toEqual([]);
    expect(await lettersOf('inventory').count()).toEqual(new Map());
  });

  it('has what the consumers of the service gave up, oldest first and page by page', async () => {
    await giveUp(['a', 'b']);
    await giveUp(['c'], FULFILLED);
    await giveUp(['a', 'b'], FOREIGN);
    const letters = lettersOf('inventory');
    const [first, second] = await letters.list({}, { limit: 2 });
    expect([first?.aggregateId, second?.aggregateId]).toEqual(['a', 'b']);
    expect(first).toMatchObject({ consumer: DURABLE, type: 'souk.orders.v1.OrderConfirmed', error: 'broken' });
    expect(await notesOf(letters, {}, { limit: 2, from: second!.id + 1n })).toEqual(['c']);
    expect(await notesOf(letters, { consumer: FULFILLED.durable }, { limit: 9 })).toEqual(['c']);
    expect(await letters.count()).toEqual(
      new Map([
        [DURABLE, 2],
        [FULFILLED.durable, 1],
      ]),
    );
  });
});

describe('a replay', () => {
  it('hands the events to their consumers and takes them off the list', async () => {
    await giveUp(['a', 'b']);
    await giveUp(['c'], FULFILLED);
    const letters = lettersOf('inventory', inbox.consumer(write), inbox.consumer(write, FULFILLED));
    expect(await letters.replay()).toEqual({ handled: 3, skipped: 0, failed: 0 });
    expect(await inbox.effects()).toEqual(['a', 'b', 'c']);
    expect(await letters.list(...ALL)).toEqual([]);
  });

  it('leaves on the list what fails again, and what has no consumer any more', async () => {
    await giveUp(['a', 'poison', 'b']);
    await giveUp(['c'], FULFILLED);
    const letters = lettersOf('inventory', inbox.consumer(failOn('poison')));
    expect(await letters.replay()).toEqual({ handled: 2, skipped: 0, failed: 2 });
    expect(await inbox.effects()).toEqual(['a', 'b']);
    expect(await notesOf(letters, ...ALL)).toEqual(['poison', 'c']);
  });

  it('can read after an upgrade what an older release could not (F65)', async () => {
    const older = (): Note => {
      throw new Error('unknown field');
    };
    const old = await inbox.start(write, { decode: older, maxDeliver: 1 });
    await inbox.publish('new schema');
    const letters = lettersOf('inventory', inbox.consumer(write));
    await eventually(async () => expect((await letters.count()).get(DURABLE)).toBe(1));
    await old.stop();
    expect(await letters.replay()).toMatchObject({ handled: 1 });
    expect(await inbox.effects()).toEqual(['new schema']);
  });

  it('skips what was handled meanwhile, as after a death between commit and deletion', async () => {
    await giveUp(['a']);
    const consumer = inbox.consumer(write);
    const letters = lettersOf('inventory', consumer);
    await consumer.redeliver(await letters.list(...ALL));
    expect(await letters.replay()).toEqual({ handled: 0, skipped: 1, failed: 0 });
    expect(await inbox.effects()).toEqual(['a']);
    expect(await letters.list(...ALL)).toEqual([]);
  });

  it('hands each event out once also when two replay at the same time', async () => {
    await giveUp(['a', 'b', 'c', 'd', 'e']);
    const replays = [1, 2].map(() => lettersOf('inventory', inbox.consumer(write)).replay());
    const counts = await Promise.all(replays);
    expect(counts.reduce((sum, { handled }) => sum + handled, 0)).toBe(5);
    expect(counts.reduce((sum, { failed }) => sum + failed, 0)).toBe(0);
    expect(await inbox.effects()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('takes only the letters that are meant', async () => {
    await giveUp(['a', 'b', 'c', 'd']);
    await giveUp(['a', 'b', 'c', 'd'], FOREIGN);
    const letters = lettersOf('inventory', inbox.consumer(write));
    const [a, b, c] = await letters.list(...ALL);
    const [foreign] = await lettersOf('notifications').list(...ALL);
    expect(await letters.replay({ ids: [b!.id, foreign!.id, 4711n] })).toMatchObject({ handled: 1, failed: 0 });
    expect(await letters.replay({ from: a!.time, to: c!.time })).toMatchObject({ handled: 1 });
    expect(await letters.replay({ consumer: FULFILLED.durable })).toMatchObject({ handled: 0, failed: 0 });
    expect(await notesOf(letters, ...ALL)).toEqual(['c', 'd']);
    expect(await inbox.effects()).toEqual(['a', 'b']);
  });

  it('stops where the database is away, and leaves the list as it was', async () => {
    await giveUp(['a']);
    const letters = lettersOf('inventory', inbox.consumer(write));
    await inbox.postgres.database.close();
    await expect(letters.replay()).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await notesOf(letters, ...ALL)).toEqual(['a']);
  });
});
