import { connectEvents, type EventBus } from './event-bus.js';
import { ensureDeadLetters, ensureStream } from './streams.js';

let bus: EventBus;
const prefix = `t${process.pid}-${Date.now()}`;

beforeAll(async () => {
  bus = await connectEvents({ url: process.env['SOUK_TEST_NATS_URL'] ?? '', name: 'events-spec', prefix });
});

afterAll(async () => {
  await bus.jsm.streams.delete(bus.stream('ORDERS'));
  await bus.jsm.streams.delete(bus.stream('DEAD_LETTERS'));
  await bus.close();
});

describe('streams', () => {
  it('are made once, also when several ask at the same time', async () => {
    await Promise.all([ensureStream(bus, 'orders'), ensureStream(bus, 'orders'), ensureStream(bus, 'orders')]);
    await ensureStream(bus, 'orders');
    const { config } = await bus.jsm.streams.info(bus.stream('ORDERS'));
    expect(config).toMatchObject({
      subjects: [`${prefix}.souk.orders.>`],
      storage: 'file',
      retention: 'limits',
      max_age: 30 * 24 * 3600 * 1e9,
      duplicate_window: 120 * 1e9,
      num_replicas: 1,
    });
  });

  it('keep what they hold when they are asked for again', async () => {
    await ensureStream(bus, 'orders');
    await bus.js.publish(bus.subject('souk.orders.v1.OrderPlaced'), '{}');
    await ensureStream(bus, 'orders');
    expect((await bus.jsm.streams.info(bus.stream('ORDERS'))).state.messages).toBe(1);
  });

  it('know one message id once', async () => {
    await ensureDeadLetters(bus);
    const subject = bus.subject('dead.inventory-OrderConfirmed');
    await bus.js.publish(subject, '{}', { msgID: 'one' });
    expect((await bus.js.publish(subject, '{}', { msgID: 'one' })).duplicate).toBe(true);
  });
});

it('names subjects and streams as they are where there is no prefix', async () => {
  const plain = await connectEvents({ url: process.env['SOUK_TEST_NATS_URL'] ?? '', name: 'plain' });
  expect([plain.subject('souk.orders.v1.OrderPlaced'), plain.stream('ORDERS')]).toEqual([
    'souk.orders.v1.OrderPlaced',
    'ORDERS',
  ]);
  expect(plain.connected).toBe(true);
  await plain.close();
});
