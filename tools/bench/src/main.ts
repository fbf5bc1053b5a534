/**
 * `npm run bench`: starts a Souk of its own and measures it beside yardsticks taken in the same run on the same machine.
 * Machines differ and are noisy, so what counts is the ratios. `-- --telemetry` measures what it costs to be watched instead.
 */
import { parseArgs } from 'node:util';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { httpClient, type HttpClient } from './http.ts';
import { load, loadTimes, type LoadResult } from './load.ts';
import { yardstick } from './pgbench.ts';
import { costsBelow, isNode, type ProcessCost } from './processes.ts';
import { readyText } from './reference.ts';
import { available, buy, login, setStock, stockUp } from './shop.ts';
import { telemetryCost } from './telemetry-cost.ts';

const BUYERS = 16;
const READERS = 32;
/** Buyers of a flash sale who all press the button. */
const CROWD = 500;
const ADMIN_EMAIL = 'admin@souk.local';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, telemetry: { type: 'boolean', default: false } },
});
const seconds = Number(options.seconds);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function figures({ perSecond, p50, p95, p99, outcomes }: LoadResult): string {
  const ms = [p50, p95, p99].map((value) => value.toFixed(1)).join(' / ');
  return `${perSecond.toFixed(0)}/s, p50/p95/p99 ${ms} ms, ${JSON.stringify(outcomes)}`;
}

/** CPU milliseconds that each process spent on one order. */
function costs(before: readonly ProcessCost[], after: readonly ProcessCost[], orders: number): string {
  const spent = (list: readonly ProcessCost[], name: string) =>
    list.filter((cost) => cost.name === name).reduce((sum, cost) => sum + cost.cpuSeconds, 0);
  return [...new Set(after.map(({ name }) => name))]
    .map((name) => [name, ((spent(after, name) - spent(before, name)) * 1_000) / orders] as const)
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
    .join(', ');
}

async function checkout(souk: LaunchedSouk, call: HttpClient, skus: readonly string[]): Promise<void> {
  const admin = `postgres://postgres:${souk.secrets.postgresPassword}@127.0.0.1:${souk.ports.postgres}/postgres`;
  const stick = await yardstick(admin);
  const pick = () => skus[Math.floor(Math.random() * skus.length)] ?? '';
  await load(BUYERS, 5, () => buy(call, pick()));
  const before = await stick?.measure(10);
  const costsBefore = costsBelow(souk.pid);
  const result = await load(BUYERS, seconds, () => buy(call, pick()));
  const costsAfter = costsBelow(souk.pid);
  const after = await stick?.measure(10);
  say(`checkout, ${BUYERS} buyers, one item each, on account: ${figures(result)}`);
  say(`  CPU milliseconds an order: ${costs(costsBefore, costsAfter, result.count)}`);
  if (!before || !after) return say('  pgbench is not on this machine: no ratio');
  const tps = (before + after) / 2;
  const ratio = (result.perSecond / tps).toFixed(3);
  say(`  pgbench -N on the same Postgres: ${tps.toFixed(0)}/s; orders for each of its transactions: ${ratio}`);
  await stick?.close();
}

async function flashSale(call: HttpClient, token: string, sku: string): Promise<void> {
  await setStock(call, token, sku, 200);
  const result = await loadTimes(64, 1_000, () => buy(call, sku));
  say(`flash sale, stock 200, 1,000 tries, 64 at once: ${result.seconds.toFixed(2)} s, ${figures(result)}`);
  say(`  left: ${await available(call, sku)}`);
}

/** What it costs that all want the same: the wide load is measured before and after the narrow one, as machines tire. */
async function spread(souk: LaunchedSouk, skus: readonly string[], hot: string): Promise<void> {
  const { call, close } = httpClient(souk.url, CROWD);
  let next = 0;
  const buyAny = () => buy(call, skus[next++ % skus.length] ?? '');
  const before = await load(CROWD, seconds / 4, buyAny);
  const narrow = await load(CROWD, seconds / 2, () => buy(call, hot));
  const after = await load(CROWD, seconds / 4, buyAny);
  close();
  const wide = (before.count + after.count) / (before.seconds + after.seconds);
  say(`${CROWD} buyers on one SKU: ${figures(narrow)}`);
  say(`${CROWD} buyers on ${skus.length} SKUs: ${figures(before)}, then ${figures(after)}`);
  say(`  orders on one SKU for each on ${skus.length}: ${(narrow.perSecond / wide).toFixed(2)} (wanted: 0.80)`);
}

async function browse(souk: LaunchedSouk): Promise<void> {
  const { call, close } = httpClient(souk.url, READERS);
  const path = '/v1/products?limit=20';
  const page = await call({ path });
  const list = await load(READERS, 10, async () => String((await call({ path })).status));
  const reference = await readyText(page.body);
  const text = httpClient(reference.url, READERS);
  const ready = await load(READERS, 10, async () => String((await text.call({ path: '/' })).status));
  text.close();
  close();
  await reference.close();
  const ratio = (list.perSecond / ready.perSecond).toFixed(3);
  say(`product list of 20 (${(page.body.length / 1_024).toFixed(1)} KiB), ${READERS} connections: ${figures(list)}`);
  say(`  node:http serving the same bytes from ready text: ${figures(ready)}; ratio ${ratio}`);
}

function memory(souk: LaunchedSouk, when: string): void {
  const node = costsBelow(souk.pid).filter(isNode);
  const sum = node.reduce((total, { residentMiB }) => total + residentMiB, 0);
  const list = node.map(({ name, residentMiB }) => `${name} ${residentMiB.toFixed(0)}`).join(', ');
  say(`resident memory ${when}: all Node processes ${sum.toFixed(0)} MiB (${list})`);
}

async function main(): Promise<void> {
  const first = await launchSouk({ args: ['--no-sale'] });
  await first.stop();
  const souk = await launchSouk({ dataDir: first.dataDir, ports: first.ports, args: ['--no-sale'] });
  try {
    const [initial, again] = [first, souk].map(({ readyMs }) => (readyMs / 1_000).toFixed(1));
    say(`ready after ${initial} s the first time, ${again} s once initialised`);
    memory(souk, 'at rest');
    const { call, close } = httpClient(souk.url, 64);
    const token = await login(call, ADMIN_EMAIL, souk.secrets.adminPassword);
    const few = await stockUp(call, token, 'BENCH', 44);
    const many = await stockUp(call, token, 'SPREAD', 250);
    await checkout(souk, call, few);
    await flashSale(call, token, few[0] ?? '');
    close();
    await spread(souk, many, few[1] ?? '');
    await browse(souk);
    memory(souk, 'after the load');
  } finally {
    await souk.stop();
    souk.remove();
  }
}

if (options.telemetry) process.exitCode = (await telemetryCost(seconds / 6, say)) >= 0.85 ? 0 : 1;
else await main();
