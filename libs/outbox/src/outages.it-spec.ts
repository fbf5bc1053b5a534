import { DiscardPolicy } from '@nats-io/jetstream';
import { connectEvents, type EventBus } from '@souk/events';
import { Database, sql } from '@souk/postgres';
import { createLogger, metrics } from '@souk/telemetry';
import {
  eventually,
  tcpProxy,
  testDatabase,
  testNats,
  type TcpProxy,
  type TestDatabase,
  type TestNats,
} from '@souk/testing';
import { OutboxRelay } from './outbox-relay.js';
import { appendToOutbox } from './outbox.js';

const UNSENT = sql('test.unsent', 'SELECT count(*)::int AS rows FROM outbox WHERE sent_at IS NULL');
const logger = createLogger('test');

let postgres: TestDatabase;
let nats: TestNats;
let wire: TcpProxy;

beforeEach(async () => {
  [postgres, nats] = await Promise.all([testDatabase({ migrations: 'libs/outbox/test/migrations' }), testNats()]);
});

afterEach(async () => {
  await wire.close();
  await Promise.all([postgres.drop(), nats.close()]);
});

async function appendOne(): Promise<void> {
  const event = { type: 'souk.orders.v1.OrderPlaced', aggregateId: 'a', data: {} };
  await postgres.database.transaction((tx) => appendToOutbox(tx, [event]));
}

async function expectAllSent(): Promise<void> {
  const settled = async () => expect(await postgres.database.query(UNSENT)).toEqual([{ rows: 0 }]);
  await eventually(settled, { timeoutMs: 15_000 });
}

async function messagesOnStream(): Promise<number> {
  const { state } = await nats.bus.jsm.streams.info(nats.bus.stream('ORDERS'));
  return state.messages;
}

it('connects when NATS comes, however late, and publishes what was written meanwhile', async () => {
  wire = await tcpProxy(nats.url, { cut: true });
  const connecting = connectEvents({ url: wire.address, name: 'late', prefix: nats.prefix, retryMs: 50 });
  await appendOne();
  await wire.mend();
  const bus = await connecting;
  const relay = new OutboxRelay({ database: postgres.database, bus, source: 'orders', logger });
  relay.start();
  await expectAllSent();
  await relay.stop();
  await bus.close();
});

it('publishes each event once over an outage of NATS (F63)', async () => {
  wire = await tcpProxy(nats.url);
  const bus: EventBus = await connectEvents({ url: wire.address, name: 'outage', prefix: nats.prefix, retryMs: 50 });
  const relay = new OutboxRelay({ database: postgres.database, bus, source: 'orders', logger });
  relay.start();
  await appendOne();
  await expectAllSent();
  await wire.cut();
  await eventually(() => expect(bus.connected).toBe(false));
  await appendOne();
  relay.wake();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await wire.mend();
  await expectAllSent();
  expect(await messagesOnStream()).toBe(2);
  await relay.stop();
  await bus.close();
});

it('publishes each event once over an outage of Postgres', async () => {
  wire = await tcpProxy(postgres.url);
  const database = Database.connect({ url: wire.url, name: 'outage', poolSize: 2 });
  const relay = new OutboxRelay({ database, bus: nats.bus, source: 'orders', logger, pollMs: 50 });
  relay.start();
  await appendOne();
  await expectAllSent();
  await wire.cut();
  await appendOne();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await wire.mend();
  await expectAllSent();
  expect(await messagesOnStream()).toBe(2);
  await relay.stop();
  await database.close();
});

it('keeps what a full stream refuses, and publishes it once there is room (F62)', async () => {
  wire = await tcpProxy(nats.url);
  const relay = new OutboxRelay({ database: postgres.database, bus: nats.bus, source: 'orders', logger });
  relay.start();
  await appendOne();
  await expectAllSent();
  const stream = nats.bus.stream('ORDERS');
  await nats.bus.jsm.streams.update(stream, { max_msgs: 1, discard: DiscardPolicy.New });
  await appendOne();
  relay.wake();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await postgres.database.query(UNSENT)).toEqual([{ rows: 1 }]);
  await nats.bus.jsm.streams.update(stream, { max_msgs: -1 });
  await expectAllSent();
  expect(await messagesOnStream()).toBe(2);
  await relay.stop();
});

it('stops soon while NATS is away', async () => {
  wire = await tcpProxy(nats.url);
  const bus = await connectEvents({ url: wire.address, name: 'stopping', prefix: nats.prefix, retryMs: 50 });
  const relay = new OutboxRelay({ database: postgres.database, bus, source: 'orders', logger });
  relay.start();
  await wire.cut();
  await appendOne();
  relay.wake();
  const begin = Date.now();
  await relay.stop();
  await bus.close();
  expect(Date.now() - begin).toBeLessThan(7_000);
});

it('counts what waits while NATS is away', async () => {
  wire = await tcpProxy(nats.url);
  const bus = await connectEvents({ url: wire.address, name: 'count', prefix: nats.prefix, retryMs: 50 });
  await wire.cut();
  await eventually(() => expect(bus.connected).toBe(false));
  await appendOne();
  await appendOne();
  const relay = new OutboxRelay({ database: postgres.database, bus, source: 'orders', logger });
  relay.start();
  await eventually(async () => expect(await unsentOf('orders')).toBe(2));
  await wire.mend();
  await eventually(async () => expect(await unsentOf('orders')).toBe(0), { timeoutMs: 20_000 });
  await relay.stop();
  await bus.close();
});

async function unsentOf(source: string): Promise<number | undefined> {
  const { values } = await metrics.gauge('outbox_unsent').get();
  return values.find(({ labels }) => labels['source'] === source)?.value;
}
