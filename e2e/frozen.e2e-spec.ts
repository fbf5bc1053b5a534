/** A dependency that stands still (SIGSTOP) is a trouble of what needs it, and of nothing else. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { readRun } from '@souk/runner';
import { eventually } from '@souk/testing';
import { Client } from './client.js';

const PATIENT = { timeoutMs: 60_000 };
const ROUNDS = 4;
const ROUND_MS = 4_000;
/** Often enough to take every connection and every place, were they waited for. */
const RELATED_EVERY_MS = 10;
const AT_ONCE = 4;

let souk: LaunchedSouk;
let shop: Client;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'] });
  shop = new Client(souk);
});
afterAll(async () => {
  signal('SIGCONT');
  await souk.stop();
  souk.remove();
});

function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
  const pid = readRun(join(souk.dataDir, 'run.json'))?.children['orders']?.pid;
  if (pid) process.kill(pid, name);
}

const cart = () => shop.call('POST', '/v1/carts');
const products = () => shop.call('GET', '/v1/products?limit=5');

/** Asks what needs orders at a steady pace, whatever is answered. */
function keepAsking(): { stop: () => Promise<number[]> } {
  const statuses: number[] = [];
  const asked = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    const call = cart().then(({ status }) => statuses.push(status));
    asked.add(call);
    void call.finally(() => asked.delete(call));
  }, RELATED_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(asked);
      return statuses;
    },
  };
}

/** How often what does not need orders is answered, beside what does. */
async function round(): Promise<{ perSecond: number; related: number[]; failed: number }> {
  const related = keepAsking();
  const until = performance.now() + ROUND_MS;
  let [done, failed] = [0, 0];
  const one = async () => {
    while (performance.now() < until) {
      const { status } = await products();
      if (status === 200) done++;
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { perSecond: (done * 1_000) / ROUND_MS, related: await related.stop(), failed };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

it('leaves other routes nine tenths of their throughput and more, and storms nobody when it wakes (F78, F79)', async () => {
  await round();
  const ratios: number[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    const well = await round();
    expect(well.related.filter((status) => status !== 201)).toEqual([]);
    signal('SIGSTOP');
    await eventually(async () => expect((await cart()).status).toBe(503), PATIENT);
    const frozen = await round();
    expect([well.failed, frozen.failed]).toEqual([0, 0]);
    expect(new Set(frozen.related)).toEqual(new Set([503]));
    ratios.push(frozen.perSecond / well.perSecond);
    const began = performance.now();
    expect(await cart()).toMatchObject({ status: 503, body: { reason: 'SERVICE_UNAVAILABLE' } });
    expect(performance.now() - began).toBeLessThan(1_000);
    signal('SIGCONT');
    await eventually(async () => expect((await cart()).status).toBe(201), PATIENT);
    await sleep(500);
  }
  process.stdout.write(`Throughput beside a frozen service: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}\n`);
  expect(median(ratios)).toBeGreaterThanOrEqual(0.9);
});
