/** The gateway's connection to NATS, which it neither waits for nor needs. */
import { Broadcast } from '@souk/events';
import { eventually, tcpProxy, testNats, type TcpProxy, type TestNats } from '@souk/testing';
import { runGateway, type RunningGateway } from './running-gateway.js';

const WAIT_MS = 30_000;
const PATIENT = { timeoutMs: WAIT_MS };

let nats: TestNats;
let wire: TcpProxy;
let started: RunningGateway[] = [];

beforeAll(async () => {
  nats = await testNats();
  wire = await tcpProxy(nats.url, { cut: true });
});
afterEach(async () => {
  await Promise.all(started.map((gateway) => gateway.stop()));
  started = [];
});
afterAll(async () => {
  await wire.close();
  await nats.close();
});

async function start(url: string): Promise<RunningGateway> {
  const gateway = await runGateway({ NATS_URL: url, NATS_PREFIX: nats.prefix });
  started.push(gateway);
  return gateway;
}

async function serves(gateway: RunningGateway): Promise<void> {
  expect((await gateway.fetch('/livez')).status).toBe(200);
  expect((await gateway.fetch('/readyz')).status).toBe(200);
}

it(
  'starts, serves and is ready without NATS, finds it when it comes, and works on when it goes',
  async () => {
    const cut = await start(wire.url);
    const other = await start(nats.url);
    const [speaks, hears] = [cut.app.get(Broadcast), other.app.get(Broadcast)];
    const heard: string[] = [];
    hears.subscribe('test', (data) => heard.push(Buffer.from(data).toString()));
    await serves(cut);
    expect(speaks.publish('test', Buffer.from('lost'))).toBe(false);
    await eventually(() => expect(hears.connected).toBe(true), PATIENT);

    for (const round of ['found', 'found again']) {
      await wire.mend();
      await eventually(() => expect(speaks.connected).toBe(true), PATIENT);
      await eventually(() => {
        speaks.publish('test', Buffer.from(round));
        expect(heard).toContain(round);
      }, PATIENT);
      await wire.cut();
      await eventually(() => expect(speaks.connected).toBe(false), PATIENT);
      expect(speaks.publish('test', Buffer.from('lost'))).toBe(false);
      await serves(cut);
    }
    expect(heard).not.toContain('lost');
  },
  3 * WAIT_MS,
);

it(
  'hears nothing that it said itself',
  async () => {
    const gateway = await start(nats.url);
    const other = await start(nats.url);
    const heard: string[] = [];
    const [one, two] = [gateway.app.get(Broadcast), other.app.get(Broadcast)];
    await eventually(() => expect([one.connected, two.connected]).toEqual([true, true]), PATIENT);
    one.subscribe('echo', (data) => heard.push(Buffer.from(data).toString()));
    await eventually(() => {
      one.publish('echo', Buffer.from('mine'));
      two.publish('echo', Buffer.from('theirs'));
      expect(heard).toContain('theirs');
    }, PATIENT);
    expect(heard).not.toContain('mine');
  },
  2 * WAIT_MS,
);

it('serves without a NATS at all', async () => {
  await serves(await start(''));
});
