import { createLogger } from '@souk/telemetry';
import { eventually, tcpProxy, testNats, type TestNats } from '@souk/testing';
import { Registry, type RegistryOptions } from './registry.js';

const PATIENT = { timeoutMs: 30_000 };

let nats: TestNats;
const opened: Registry[] = [];

beforeAll(async () => void (nats = await testNats()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((registry) => registry.close()));
});
afterAll(() => nats.close());

function open(change: Partial<RegistryOptions> = {}): Registry {
  const { url, prefix } = nats;
  const logger = createLogger('test');
  const options = { url, prefix, service: 'orders', address: '127.0.0.1:1', version: '1.0.0', logger, ...change };
  const registry = new Registry(options);
  opened.push(registry);
  return registry;
}

function statesIn(registry: Registry): Record<string, string> {
  return Object.fromEntries(registry.instances.map(({ instance, state }) => [instance, state]));
}

it('shows who runs where, in which state, and not any more once it has ended', async () => {
  const [reads, other] = [open({ service: 'gateway' }), open()];
  await eventually(() => expect(statesIn(reads)).toMatchObject({ [other.instance]: 'starting' }), PATIENT);
  await other.announce('ready', '127.0.0.1:7');
  await eventually(
    () =>
      expect(reads.instances).toContainEqual(
        expect.objectContaining({ service: 'orders', address: '127.0.0.1:7', version: '1.0.0', state: 'ready' }),
      ),
    PATIENT,
  );
  await other.announce('draining');
  await eventually(() => expect(statesIn(reads)).toMatchObject({ [other.instance]: 'draining' }), PATIENT);
  await other.close();
  await eventually(() => expect(statesIn(reads)).not.toHaveProperty(other.instance), PATIENT);
});

it('forgets an instance that says nothing any more within seconds', async () => {
  const wire = await tcpProxy(nats.url);
  const [reads, other] = [open({ service: 'gateway' }), open({ url: wire.url })];
  await other.announce('ready');
  await eventually(() => expect(statesIn(reads)).toHaveProperty(other.instance), PATIENT);
  await wire.cut();
  const cut = performance.now();
  await eventually(() => expect(statesIn(reads)).not.toHaveProperty(other.instance), PATIENT);
  expect(performance.now() - cut).toBeLessThan(5_000);
});

it('keeps what it knew while NATS is away, and is found again when it is back', async () => {
  const wire = await tcpProxy(nats.url);
  const [reads, other] = [open({ service: 'gateway', url: wire.url }), open()];
  await eventually(() => expect(statesIn(reads)).toHaveProperty(other.instance), PATIENT);
  await wire.cut();
  await eventually(() => expect(reads.isLive).toBe(false), PATIENT);
  await eventually(() => expect(statesIn(other)).not.toHaveProperty(reads.instance), PATIENT);
  expect(statesIn(reads)).toHaveProperty(other.instance);
  await wire.mend();
  await eventually(() => expect(statesIn(other)).toHaveProperty(reads.instance), PATIENT);
  await eventually(() => expect(reads.isLive).toBe(true), PATIENT);
  expect(statesIn(reads)).toHaveProperty(other.instance);
  await wire.close();
});

it('makes the bucket again where NATS has lost it', async () => {
  const [reads, other] = [open({ service: 'gateway' }), open()];
  await eventually(() => expect(statesIn(reads)).toHaveProperty(other.instance), PATIENT);
  await nats.bus.jsm.streams.delete(`KV_${nats.prefix}-instances`);
  const fresh = open({ service: 'payments' });
  await eventually(
    () => expect(Object.keys(statesIn(reads))).toEqual(expect.arrayContaining([other.instance, fresh.instance])),
    PATIENT,
  );
});

it('starts without NATS and registers once it is there', async () => {
  const wire = await tcpProxy(nats.url, { cut: true });
  const [reads, late] = [open({ service: 'gateway' }), open({ url: wire.url })];
  await late.announce('ready');
  await wire.mend();
  await eventually(() => expect(statesIn(reads)).toMatchObject({ [late.instance]: 'ready' }), PATIENT);
  await wire.close();
});

it('does not believe an entry that is no instance, or another than its key says', async () => {
  const [reads, other] = [open({ service: 'gateway' }), open()];
  const expectOnly = (...expected: Registry[]) =>
    eventually(
      () => expect(Object.keys(statesIn(reads)).sort()).toEqual(expected.map(({ instance }) => instance).sort()),
      PATIENT,
    );
  await expectOnly(reads, other);
  const [entry] = reads.instances.filter(({ instance }) => instance === other.instance);
  const forged = [
    'nonsense',
    JSON.stringify({ ...entry, address: 'not an address' }),
    JSON.stringify({ ...entry, instance: 'orders-elsewhere', state: 'gone' }),
  ];
  for (const text of forged) await nats.bus.js.publish(`$KV.${nats.prefix}-instances.orders.forged`, text);
  await nats.bus.js.publish(`$KV.${nats.prefix}-instances.orders.forged`, JSON.stringify(entry));
  const next = open({ service: 'payments' });
  await expectOnly(reads, other, next);
});
