/**
 * What only the first start of a data folder does: fill the shop with the sample catalogue, name the administrator, and sell
 * one item to show that all of it works. What is done is written down, so a start that was cut short goes on with the rest.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './layout.ts';
import { expectStatus, type ShopApi } from './shop-api.ts';

const SAMPLE = join(ROOT, 'apps/catalog/sample/products.csv');
const PATIENCE_MS = 60_000;

export type FirstStartStep = 'administrator' | 'sample' | 'sale';

/** Runs a step unless an earlier start has done it. A failure is told and tried again at the next start. */
export async function once(
  path: string,
  step: FirstStartStep,
  work: () => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  const done = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as FirstStartStep[]) : [];
  if (done.includes(step)) return;
  try {
    await work();
    writeFileSync(path, JSON.stringify([...done, step]));
  } catch (error) {
    say(`Warning: the first start could not finish its step "${step}": ${(error as Error).message}`);
  }
}

/** Imports the sample catalogue as the administrator and waits until its stock can be bought. */
export async function importSample(api: ShopApi, email: string, password: string): Promise<void> {
  const login = await api('/v1/auth/login', { method: 'POST', body: { email, password } });
  const token = String(expectStatus(login, 200, 'The login of the administrator')['accessToken']);
  const accepted = await api('/v1/products/import', {
    method: 'POST',
    token,
    headers: { 'content-type': 'text/csv' },
    body: readFileSync(SAMPLE, 'utf8'),
  });
  const { id } = expectStatus(accepted, 202, 'The import of the sample catalogue') as { id: string };
  await importEnded(api, id, token);
  await stockArrived(api);
}

async function importEnded(api: ShopApi, id: string, token: string): Promise<void> {
  const state = await poll('the import of the sample catalogue', async () => {
    const { state } = expectStatus(await api(`/v1/imports/${id}`, { token }), 200, 'The import') as { state: string };
    return /SUCCEEDED$|FAILED$/i.test(state) ? state : undefined;
  });
  if (/FAILED$/i.test(state)) throw new Error('the sample catalogue was refused');
}

/** Stock arrives by events: all of it is there when some is and no more comes. */
async function stockArrived(api: ShopApi): Promise<void> {
  let before = 0;
  await poll('the stock of the sample catalogue', async () => {
    const now = (await buyableSkus(api)).length;
    const settled = now > 0 && now === before;
    before = now;
    return settled || undefined;
  });
}

interface Variant {
  readonly sku: string;
  readonly available?: number;
}

async function buyableSkus(api: ShopApi): Promise<string[]> {
  const body = expectStatus(await api('/v1/products?limit=100'), 200, 'The list of products');
  const { items } = body as { items: { variants: Variant[] }[] };
  return items.flatMap(({ variants }) => variants.filter(({ available = 0 }) => available > 0)).map(({ sku }) => sku);
}

/** Buys one item as a guest; answers the line that tells of it. */
export async function sellFirst(api: ShopApi, mailDir: string): Promise<string> {
  const [sku] = await buyableSkus(api);
  if (!sku) throw new Error('there is nothing to buy');
  const order = (await placeOrder(api, sku)) as { id: string; number?: string; state: string };
  const mails = existsSync(mailDir) ? readdirSync(mailDir).length : 0;
  if (mails === 0) await poll('the mail of the first sale', async () => anyFile(mailDir));
  return `First sale: order ${order.number ?? order.id} ${order.state}, its mail is in ${mailDir}`;
}

async function placeOrder(api: ShopApi, sku: string): Promise<unknown> {
  const body = {
    lines: [{ sku, quantity: 1 }],
    email: 'first.guest@example.com',
    shippingAddress: {
      name: 'First Guest',
      line1: '1 Market Street',
      city: 'Berlin',
      postalCode: '10115',
      country: 'DE',
    },
    payment: { method: 'card', token: 'pm_card_visa' },
  };
  const headers = { 'idempotency-key': randomUUID() };
  const answer = expectStatus(await api('/v1/orders', { method: 'POST', headers, body }), 201, 'The first order');
  return answer['order'] ?? answer;
}

function anyFile(folder: string): true | undefined {
  return (existsSync(folder) && readdirSync(folder).length > 0) || undefined;
}

async function poll<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
    await sleep(250);
  }
}
