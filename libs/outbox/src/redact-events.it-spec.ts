import { ensureDeadLetters } from '@souk/events';
import { headers } from '@nats-io/transport-node';
import { sql } from '@souk/postgres';
import { orderEvent, outboxFixture, TYPE, type OutboxFixture } from '../test/outbox-fixture.js';
import { auditOutbox } from './audit.js';
import { holdOutbox, redactOutbox, redactStreams, type Redact } from './redact-events.js';

let fixture: OutboxFixture;

const SINCE = new Date(Date.now() - 60_000);
const DATA = sql('test.data', 'SELECT data FROM outbox WHERE aggregate_id = $1 ORDER BY id');

/** What must be forgotten is a name. */
const redact: Redact = (_type, data) => ({ ...(data as object), name: undefined });

beforeEach(async () => {
  fixture = await outboxFixture();
});
afterEach(() => fixture.close());

function named(aggregateId: string, step: number) {
  return { ...orderEvent(aggregateId, step), data: { step, name: 'Ada' } };
}

async function erase(...aggregateIds: string[]): Promise<number> {
  const { database } = fixture.postgres;
  await database.transaction(async (tx) => {
    await holdOutbox(tx);
    await redactOutbox(tx, aggregateIds, redact);
  });
  const parts = { bus: fixture.nats.bus, database };
  return redactStreams(parts, { source: 'orders', aggregateIds, since: SINCE, redact });
}

/** Everything that the broker's files hold of the streams, read by place. */
async function everything(): Promise<string> {
  const { jsm } = fixture.nats.bus;
  const texts: string[] = [];
  for await (const info of jsm.streams.list()) {
    if (!info.config.name.startsWith(fixture.nats.prefix)) continue;
    for (let seq = info.state.first_seq; seq <= info.state.last_seq; seq++) {
      const message = await jsm.streams.getMessage(info.config.name, { seq });
      if (message) texts.push(message.string());
    }
  }
  return texts.join('\n');
}

it('takes what is to be forgotten out of the rows, the stream and the dead letters (I19)', async () => {
  const relay = fixture.startRelay();
  await fixture.append(named('one', 1), named('other', 1), named('one', 2));
  relay.wake();
  await fixture.allSent(30_000);
  const { bus } = fixture.nats;
  await ensureDeadLetters(bus);
  const letter = headers();
  for (const [name, value] of [
    ['ce-id', '0195a1b2-0000-7000-8000-000000000001'],
    ['ce-type', TYPE],
    ['ce-subject', 'one'],
  ] as const)
    letter.set(name, value);
  await bus.js.publish(bus.subject('dead.inventory-OrderPlaced'), JSON.stringify({ name: 'Ada', step: 1 }), {
    headers: letter,
  });

  expect(await erase('one')).toBe(3);

  const events = await fixture.published();
  expect(
    events.filter(({ aggregateId }) => aggregateId === 'one').map(({ data }) => JSON.parse(data) as unknown),
  ).toEqual([{ step: 1 }, { step: 2 }]);
  expect(events.filter(({ aggregateId }) => aggregateId === 'other').map(({ data }) => data)).toEqual([
    JSON.stringify({ step: 1, name: 'Ada' }),
  ]);
  expect((await fixture.postgres.database.query<{ data: string }>(DATA, ['one'])).map(({ data }) => data)).toEqual([
    '{"step":1}',
    '{"step":2}',
  ]);
  expect((await everything()).match(/Ada/g)).toHaveLength(1);
});

it('leaves the outbox and the stream telling the same, and nothing for a second time', async () => {
  const relay = fixture.startRelay();
  await fixture.append(named('one', 1), named('one', 2));
  relay.wake();
  await fixture.allSent(30_000);
  await erase('one');

  expect(await erase('one')).toBe(0);
  const audit = await auditOutbox({ database: fixture.postgres.database, bus: fixture.nats.bus, source: 'orders' });
  expect(audit).toMatchObject({ lost: [], unknown: [] });
  expect(await relay.rebuild()).toEqual({ compared: 2, published: 0 });
});

it('redacts what is still to be published', async () => {
  await fixture.append(named('one', 1));
  expect(await erase('one')).toBe(0);
  const relay = fixture.startRelay();
  relay.wake();
  await fixture.allSent(30_000);
  expect(await everything()).not.toContain('Ada');
});

it('finds what a death between the new message and the end of the old one left', async () => {
  const relay = fixture.startRelay();
  await fixture.append(named('one', 1));
  relay.wake();
  await fixture.allSent(30_000);
  const { bus } = fixture.nats;
  const dying = { ...fixture.postgres.database, query: () => Promise.reject(new Error('the process died')) };
  const events = { source: 'orders', aggregateIds: ['one'], since: SINCE, redact };
  await expect(redactStreams({ bus, database: dying as never }, events)).rejects.toThrow('died');
  expect(await everything()).toContain('Ada');

  expect(await erase('one')).toBe(1);
  expect(await everything()).not.toContain('Ada');
});
