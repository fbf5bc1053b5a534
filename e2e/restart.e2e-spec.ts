import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { readRun } from '@souk/runner';
import { eventually } from '@souk/testing';
import { Client, type Order, type Product } from './client.js';
import { providerBooks } from './provider.js';

let souk: LaunchedSouk;
let shop: Client;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_SAGA_LEASE_MS: '3000' } });
  shop = new Client(souk);
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

async function anySku(): Promise<string> {
  const { body } = await shop.call<{ items: Product[] }>('GET', '/v1/products?limit=20');
  const variants = body.items.flatMap((product) => product.variants).filter(({ available }) => available > 15);
  return variants[0]?.sku ?? '';
}

function children(): Readonly<Record<string, { pid: number }>> {
  return readRun(join(souk.dataDir, 'run.json'))?.children ?? {};
}

function kill(name: string, signal: 'SIGKILL' | 'SIGTERM'): void {
  const { pid } = children()[name] ?? {};
  if (!pid) throw new Error(`${name} does not run.`);
  process.kill(pid, signal);
}

/** Buys until told to stop; an order counts from the moment that it was acknowledged. */
function keepBuying(sku: string): { stop: () => Promise<Order[]> } {
  const acknowledged: Order[] = [];
  let stopped = false;
  const buy = async () => {
    while (!stopped) {
      const answer = await shop.placeOrder({ sku, token: 'pm_card_visa' }).catch(() => undefined);
      if (answer && [201, 202].includes(answer.status)) acknowledged.push(answer.body);
      await sleep(50);
    }
  };
  const buyers = Promise.all([buy(), buy(), buy()]);
  return {
    stop: async () => {
      stopped = true;
      await buyers;
      return acknowledged;
    },
  };
}

/** Every acknowledged order ends, and who got his was charged once. */
async function allEnd(orders: readonly Order[]): Promise<void> {
  for (const order of orders) {
    const { state } = await eventually(
      async () => {
        const ended = await shop.order(order);
        expect(['CONFIRMED', 'REJECTED']).toContain(ended.state);
        return ended;
      },
      { timeoutMs: 60_000 },
    );
    const charges = state === 'CONFIRMED' ? 1 : 0;
    expect(await providerBooks(souk, order.id)).toMatchObject({ charges, givenBack: 0 });
  }
}

async function losesNoOrder(name: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const sku = await anySku();
  const buyers = keepBuying(sku);
  await sleep(500);
  kill(name, signal);
  await sleep(4_000);
  const orders = await buyers.stop();
  expect(orders.length).toBeGreaterThan(0);
  await allEnd(orders);
  await eventually(async () => expect((await shop.stock(sku)).held).toBe(0), { timeoutMs: 30_000 });
}

it.each(['orders', 'inventory', 'payments', 'catalog', 'gateway', 'notifications', 'identity'])(
  'loses no order, and charges none twice, when %s is killed in the middle (F14, F15, F16, F17, F18, F19, F75)',
  (name) => losesNoOrder(name, 'SIGKILL'),
);

it.each(['orders', 'inventory', 'payments', 'gateway'])(
  'loses no order, and charges none twice, when %s is told to stop in the middle (F74)',
  (name) => losesNoOrder(name, 'SIGTERM'),
);

it('recovers when everything is killed at once (F75, F76)', async () => {
  const sku = await anySku();
  const before = await shop.stock(sku);
  const buyers = keepBuying(sku);
  await sleep(800);
  process.kill(souk.pid, 'SIGKILL');
  for (const { pid } of Object.values(children())) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  const orders = await buyers.stop();
  souk = await launchSouk({ dataDir: souk.dataDir, ports: souk.ports, env: { SOUK_SAGA_LEASE_MS: '3000' } });
  shop = new Client(souk);
  await allEnd(orders);
  await eventually(
    async () => {
      const after = await shop.stock(sku);
      expect(after.held).toBe(0);
      expect(before.onHand - after.onHand).toBeGreaterThanOrEqual(orders.length);
    },
    { timeoutMs: 60_000 },
  );
});
