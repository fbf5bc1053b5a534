/** What the benchmarks need of a shop: an administrator, things to sell, and buyers. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, type HttpClient } from './http.ts';

const HEADER =
  'Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price';
const ADDRESS = {
  name: 'Ada Lovelace',
  line1: '12 St James Square',
  city: 'London',
  postalCode: 'SW1Y 4JH',
  country: 'GB',
};

export async function login(call: HttpClient, email: string, password: string): Promise<string> {
  const { status, body } = await call({ method: 'POST', path: '/v1/auth/login', ...json({ email, password }) });
  if (status !== 200) throw new Error(`The login answered ${status}: ${body}`);
  return (JSON.parse(body) as { accessToken: string }).accessToken;
}

/** Imports so many products of two variants each, with plenty of stock. @returns their SKUs */
export async function stockUp(call: HttpClient, token: string, prefix: string, products: number): Promise<string[]> {
  const rows = Array.from({ length: products }, (_, n) => ['S', 'L'].map((size) => row(prefix, n, size)).join('\n'));
  const headers = { 'content-type': 'text/csv', authorization: `Bearer ${token}` };
  const body = `${HEADER}\n${rows.join('\n')}\n`;
  const accepted = await call({ method: 'POST', path: '/v1/products/import', headers, body });
  if (accepted.status !== 202) throw new Error(`The import answered ${accepted.status}: ${accepted.body}`);
  const skus = Array.from({ length: products }, (_, n) => [`${prefix}-${n}-S`, `${prefix}-${n}-L`]).flat();
  await until(async () => (await available(call, skus.at(-1) ?? '')) > 0 && (await available(call, skus[0] ?? '')) > 0);
  return skus;
}

/** Sets the stock of a SKU. */
export async function setStock(call: HttpClient, token: string, sku: string, onHand: number): Promise<void> {
  const request = json({ onHand }, { authorization: `Bearer ${token}` });
  const { status, body } = await call({ method: 'PUT', path: `/v1/stock/${sku}`, ...request });
  if (status !== 200) throw new Error(`Setting the stock answered ${status}: ${body}`);
}

export async function available(call: HttpClient, sku: string): Promise<number> {
  const { status, body } = await call({ path: `/v1/stock/${sku}` });
  return status === 200 ? (JSON.parse(body) as { available: number }).available : 0;
}

/** Buys one piece on account. @returns the status and the order's state, or the reason of the refusal */
export async function buy(call: HttpClient, sku: string): Promise<string> {
  const order = {
    lines: [{ sku, quantity: 1 }],
    email: 'ada@example.com',
    shippingAddress: ADDRESS,
    payment: { method: 'manual' },
  };
  const request = json(order, { 'idempotency-key': randomUUID() });
  const { status, body } = await call({ method: 'POST', path: '/v1/orders', ...request });
  const answer = JSON.parse(body) as { state?: string; reason?: string };
  return `${status} ${answer.state ?? answer.reason ?? ''}`;
}

function row(prefix: string, n: number, size: string): string {
  const details = `Product ${n},<p>A fine thing number ${n}.</p>,Souk,Thing,"bench,tag-${n % 7}",true,Size`;
  const first = size === 'S' ? details : ',,,,,,';
  return `${prefix.toLowerCase()}-${n},${first},${size},${prefix}-${n}-${size},1000000,${10 + (n % 90)}.50`;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('The stock did not arrive within 30 seconds.');
}
