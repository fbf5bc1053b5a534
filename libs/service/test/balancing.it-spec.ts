import { eventually } from '@souk/testing';
import { clientOf, InstanceProcess, load, type Done } from './instance-process.js';

const PATIENCE = { timeoutMs: 30_000 };
const ANY = { orderId: 'any' };
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close();
});

async function start(options: Parameters<typeof InstanceProcess.start>[0] = {}): Promise<InstanceProcess> {
  const instance = await InstanceProcess.start(options);
  opened.push({ close: () => instance.end() });
  return instance;
}

function busy(address: string, atOnce = 8) {
  const client = clientOf(address);
  opened.push(client);
  const running = load(() => client.listNotifications(ANY), atOnce);
  opened.push({ close: () => running.stop() });
  return running;
}

async function more(instance: InstanceProcess, than: number): Promise<void> {
  await eventually(async () => expect(await instance.calls()).toBeGreaterThan(than), PATIENCE);
}

function failures(done: readonly Done[]): unknown[] {
  return done.flatMap(({ error }) => (error === undefined ? [] : [error]));
}

it('fails no read when an instance is killed, and gives it work again when it is back (F77)', async () => {
  const [one, two] = [await start(), await start()];
  const running = busy(`static:${one.address},${two.address}`);
  await Promise.all([more(one, 50), more(two, 50)]);
  await one.end();
  const before = await two.calls();
  await more(two, before + 200);
  const again = await start({ port: one.port });
  const back = performance.now();
  await more(again, 0);
  expect(performance.now() - back).toBeLessThan(2_000);
  expect(failures(await running.stop())).toEqual([]);
});

it('takes the reads of a frozen instance elsewhere within two seconds, and comes back to it (F78)', async () => {
  const [one, two] = [await start(), await start()];
  const running = busy(`static:${one.address},${two.address}`);
  await Promise.all([more(one, 50), more(two, 50)]);
  one.signal('SIGSTOP');
  const frozen = performance.now();
  const held = await eventually(() => {
    const slow = running.done.filter(({ at, tookMs }) => at > frozen && tookMs > 500);
    expect(slow.length).toBeGreaterThan(0);
    return slow;
  }, PATIENCE);
  const before = await two.calls();
  await more(two, before + 200);
  one.signal('SIGCONT');
  const woken = performance.now();
  const seen = await one.calls();
  await more(one, seen);
  expect(performance.now() - woken).toBeLessThan(2_000);
  const done = await running.stop();
  expect(failures(done)).toEqual([]);
  // Only those that were there when it froze had to wait, and not for long.
  expect(Math.max(...held.map(({ tookMs }) => tookMs))).toBeLessThan(2_000);
  expect(done.filter(({ tookMs }) => tookMs > 500).length).toBeLessThanOrEqual(8);
});

it('bridges the restart of the only instance, and fails at once where it stays away', async () => {
  const one = await start();
  const client = clientOf(one.address);
  opened.push(client);
  await client.listNotifications(ANY);
  await one.end();
  const bridged = client.listNotifications(ANY);
  const again = await start({ port: one.port });
  await bridged;
  await again.end();
  await expect(client.listNotifications(ANY)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  const began = performance.now();
  await expect(client.listNotifications(ANY)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  expect(performance.now() - began).toBeLessThan(500);
});

it('fails calls at once where the only instance is frozen, and storms it not when it wakes (F79)', async () => {
  const one = await start();
  const running = busy(one.address, 50);
  await more(one, 200);
  one.signal('SIGSTOP');
  await eventually(() => expect(failures(running.done).length).toBeGreaterThan(200), PATIENCE);
  const refused = running.done.filter(({ error }) => error !== undefined);
  // Those after the first ones, which waited to see whether it comes back.
  expect(Math.max(...refused.slice(100).map(({ tookMs }) => tookMs))).toBeLessThan(1_000);
  for (const { error } of refused) expect(error).toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  const before = running.done.length - refused.length;
  one.signal('SIGCONT');
  await eventually(
    () => expect(running.done.length - failures(running.done).length).toBeGreaterThan(before + 500),
    PATIENCE,
  );
  const done = await running.stop();
  const answered = done.length - failures(done).length;
  // What it got beyond the calls that were answered: those that it froze with, and few repetitions.
  expect((await one.calls()) - answered).toBeLessThanOrEqual(150);
});

it('shares calls with an instance that a name begins to stand for', async () => {
  const one = await start();
  const running = busy(`dns:///localhost:${one.port}`);
  await more(one, 50);
  expect(failures(await running.stop())).toEqual([]);
});

it.each(['nothing', 'static:', 'static:127.0.0.1', 'dns:///name'])(
  'does not start with the address "%s"',
  (address) => {
    expect(() => clientOf(address)).toThrow('is not host:port');
  },
);
