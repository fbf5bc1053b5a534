import { nanos } from '@nats-io/transport-node';
import { metrics } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { DURABLE, failOn, InboxFixture, TYPE, write } from '../test/inbox-fixture.js';

const STALL_MS = 200;

let inbox: InboxFixture;

beforeEach(async () => {
  inbox = await InboxFixture.make();
});
afterEach(() => inbox.close());

async function read(name: 'inbox_pending' | 'inbox_dead_letters' | 'inbox_stalls_total'): Promise<number | undefined> {
  const metric = name === 'inbox_stalls_total' ? metrics.counter(name) : metrics.gauge(name);
  const { values } = await metric.get();
  return values.find(({ labels }) => labels['consumer'] === DURABLE)?.value;
}

/** Makes the consumer on the broker such that it gives out nothing more: all that it may give out is with somebody who is silent. */
async function stuckConsumer(): Promise<void> {
  const { jsm, js } = inbox.nats.bus;
  const stream = inbox.nats.bus.stream('ORDERS');
  await inbox.publish('held by the silent');
  await jsm.consumers.add(stream, {
    durable_name: DURABLE,
    filter_subject: inbox.nats.bus.subject(TYPE),
    ack_policy: 'explicit',
    ack_wait: nanos(3_600_000),
    max_ack_pending: 1,
  });
  await (await js.consumers.get(stream, DURABLE)).next();
}

it('makes a consumer anew that does not move, so that it handles everything once (F63)', async () => {
  await stuckConsumer();
  await inbox.start(write, { stallMs: STALL_MS });
  await inbox.publish('waiting');
  await eventually(async () => expect(await inbox.effects()).toEqual(['held by the silent', 'waiting']));
  expect(await read('inbox_stalls_total')).toBeGreaterThanOrEqual(2);
});

it('leaves a consumer alone that moves, that has nothing to do, or that works for long', async () => {
  const before = (await read('inbox_stalls_total')) ?? 0;
  const slow = Promise.withResolvers<void>();
  await inbox.start(
    async (tx, events) => {
      if (events.some(({ data }) => data.note === 'slow')) await slow.promise;
      await write(tx, events);
    },
    { stallMs: STALL_MS, batch: 1 },
  );
  for (const note of ['quick', 'slow', 'next']) await inbox.publish(note);
  await new Promise((resolve) => setTimeout(resolve, STALL_MS * 6));
  slow.resolve();
  await eventually(async () => expect(await inbox.effects()).toEqual(['quick', 'slow', 'next']));
  await new Promise((resolve) => setTimeout(resolve, STALL_MS * 4));
  expect((await read('inbox_stalls_total')) ?? 0).toBe(before);
});

it('counts what waits and what was given up', async () => {
  await inbox.start(failOn('poison'), { stallMs: STALL_MS, maxDeliver: 1 });
  await inbox.publish('poison');
  await eventually(async () => expect(await read('inbox_dead_letters')).toBe(1));
  expect(await read('inbox_pending')).toBe(0);
});
