/** What the shop sells in a run: a few SKUs that run out all the time, and plenty that never do. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient } from './http.ts';

export interface Good {
  readonly sku: string;
  readonly opening: number;
  /** Minor units. */
  readonly price: number;
}

const FEW = 6;
const PLENTY = 12;
const PATIENCE_MS = 60_000;
const HEADER =
  'Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price';

export const SCARCE: readonly Good[] = Array.from({ length: FEW }, (_, n) => good('SCARCE', n, 10 + n));
export const AMPLE: readonly Good[] = Array.from({ length: PLENTY }, (_, n) => good('AMPLE', n, 1_000_000));
export const GOODS: readonly Good[] = [...SCARCE, ...AMPLE];

/** Puts the goods on sale; resolves when all of them can be bought. */
export async function stockUp(http: HttpClient, token: string): Promise<void> {
  const headers = { 'content-type': 'text/csv' };
  const body = `${HEADER}\n${GOODS.map(row).join('\n')}\n`;
  const { status } = await http.call({ method: 'POST', path: '/v1/products/import', token, headers, body });
  if (status !== 202) throw new Error(`The import of the goods answered ${status}.`);
  const deadline = Date.now() + PATIENCE_MS;
  for (const { sku } of GOODS) {
    while (((await http.call({ path: `/v1/stock/${sku}` })).body['available'] ?? 0) === 0) {
      if (Date.now() > deadline) throw new Error(`The stock of ${sku} did not come.`);
      await sleep(100);
    }
  }
}

function good(prefix: string, n: number, opening: number): Good {
  return { sku: `${prefix}-${n}`, opening, price: (10 + n) * 100 + 49 };
}

function row({ sku, opening, price }: Good): string {
  const about = `Thing ${sku},<p>A fine thing.</p>,Souk,Thing,chaos,true,Title,Default Title`;
  return `${sku.toLowerCase()},${about},${sku},${opening},${(price / 100).toFixed(2)}`;
}
