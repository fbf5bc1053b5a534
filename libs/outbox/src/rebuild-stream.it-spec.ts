import { ensureStream, storedMessage } from '@souk/events';
import { sql } from '@souk/postgres';
import { metrics } from '@souk/telemetry';
import { orderEvent, outboxFixture, stepsOf, type OutboxFixture } from '../test/outbox-fixture.js';
import type { OutboxRelay } from './outbox-relay.js';

const AGE = sql(
  'test.age_unsent',
  `UPDATE outbox SET created_at = now() - interval '2 minutes' WHERE sent_at IS NULL RETURNING id`,
);
const DELETE = sql('test.delete_newest', 'DELETE FROM outbox WHERE id = (SELECT max(id::text)::uuid FROM outbox)');
const FORGET_PLACES = sql('test.forget_places', 'UPDATE outbox SET stream_sequence = NULL');

let outbox: OutboxFixture;
let relay: OutboxRelay;

beforeEach(async () => {
  outbox = await outboxFixture();
  relay = outbox.startRelay({ pollMs: 50 });
});
afterEach(() => outbox.close());

async function publish(from: number, to: number): Promise<void> {
  for (let step = from; step <= to; step++) await outbox.append(orderEvent('a', step), orderEvent('b', step));
  relay.wake();
  await outbox.allSent();
}

const streams = () => outbox.nats.bus.jsm.streams;
const streamName = () => outbox.nats.bus.stream('ORDERS');

async function steps(): Promise<{ a: number[]; b: number[] }> {
  const events = await outbox.published();
  return { a: stepsOf(events, 'a'), b: stepsOf(events, 'b') };
}

it('finds nothing to do where nothing is lost', async () => {
  await publish(1, 3);
  expect(await relay.rebuild()).toEqual({ compared: 6, published: 0 });
  expect(await relay.audit()).toEqual({ compared: 12, lost: [], unknown: [], waiting: 0 });
});

it('writes a deleted stream again, in the order of each aggregate, and once (F62)', async () => {
  await publish(1, 5);
  await streams().delete(streamName());
  expect((await relay.audit()).lost).toHaveLength(10);
  expect(await relay.rebuild()).toEqual({ compared: 10, published: 10 });
  expect(await steps()).toEqual({ a: [1, 2, 3, 4, 5], b: [1, 2, 3, 4, 5] });
  expect(await relay.rebuild()).toEqual({ compared: 10, published: 0 });
  expect((await relay.audit()).lost).toEqual([]);
});

it('writes a purged stream again', async () => {
  await publish(1, 3);
  await streams().purge(streamName());
  expect((await relay.audit()).lost).toHaveLength(6);
  expect(await relay.rebuild()).toEqual({ compared: 6, published: 6 });
  expect(await steps()).toEqual({ a: [1, 2, 3], b: [1, 2, 3] });
});

it('finds what the broker lost though other events have taken its places (F56)', async () => {
  await publish(1, 4);
  const kept = await Promise.all([1, 2, 3].map((seq) => storedMessage(outbox.nats.bus, 'ORDERS', { seq })));
  await streams().delete(streamName());
  await ensureStream(outbox.nats.bus, 'orders');
  for (const message of kept) {
    await outbox.nats.bus.js.publish(message!.subject, message!.data, { headers: message!.header });
  }
  await publish(5, 6);
  const { lost } = await relay.audit();
  expect(lost.map(({ stream_sequence }) => stream_sequence).toSorted()).toEqual([4n, 5n, 6n, 7n, 8n]);
  const counter = await metrics.counter('outbox_stream_losses_total').get();
  expect(counter.values).toEqual([expect.objectContaining({ value: 1, labels: { source: 'orders' } })]);
  expect(await relay.rebuild()).toMatchObject({ published: 5 });
  const { a, b } = await steps();
  expect([a.toSorted(), b.toSorted()]).toEqual([
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6],
  ]);
});

it('goes on where it was interrupted, also when two rebuild at once', async () => {
  await publish(1, 20);
  await streams().delete(streamName());
  const rebuilt = await Promise.all([relay.rebuild(), relay.rebuild(), publish(21, 22)]);
  expect(rebuilt[0].published + rebuilt[1].published).toBe(40);
  const { a } = await steps();
  expect(a.filter((step) => step <= 20)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(a).toHaveLength(22);
});

it('looks only at what was written since the given time', async () => {
  await publish(1, 2);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const from = new Date();
  await publish(3, 4);
  await streams().delete(streamName());
  expect(await relay.rebuild(from)).toEqual({ compared: 4, published: 4 });
  expect((await steps()).a).toEqual([3, 4]);
});

it('publishes again what an older release has sent, since it cannot tell', async () => {
  await publish(1, 2);
  await streams().delete(streamName());
  await outbox.postgres.database.query(FORGET_PLACES);
  expect((await relay.audit()).lost).toEqual([]);
  expect(await relay.rebuild()).toEqual({ compared: 4, published: 4 });
});

describe('the audit', () => {
  it('counts events that wait too long to be sent', async () => {
    await publish(1, 1);
    await relay.stop();
    await outbox.append(orderEvent('a', 2), orderEvent('a', 3));
    expect((await relay.audit()).waiting).toBe(0);
    await outbox.postgres.database.query(AGE);
    expect((await relay.audit()).waiting).toBe(2);
  });

  it('finds events on the stream that were never committed, as after a database was set back (I12, F73)', async () => {
    await publish(1, 2);
    await outbox.postgres.database.query(DELETE);
    const { unknown } = await relay.audit();
    expect(unknown).toEqual([(await outbox.published()).at(-1)?.id]);
  });
});
