import { readFileSync } from 'node:fs';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ROOT } from '@souk/runner';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';
import { Client, type Problem, type Product } from './client.js';

interface Import {
  readonly id: string;
  readonly state: string;
  readonly rows: number;
  readonly imported: number;
  readonly created: number;
  readonly updated: number;
  readonly rejectedCount: number;
  readonly rejected: readonly { readonly row: number; readonly reason: string }[];
}

const SAMPLE = readFileSync(`${ROOT}/apps/catalog/sample/products.csv`, 'utf8');
const HEADER =
  'Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price';

let souk: LaunchedSouk;
let admin: Client;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'] });
  admin = await new Client(souk).asAdmin();
});
afterAll(async () => {
  await souk?.stop();
  souk?.remove();
});

async function importFile(file: string): Promise<Import> {
  const accepted = await admin.call<{ id: string }>('POST', '/v1/products/import', file);
  expect(accepted.status).toBe(202);
  return eventually(
    async () => {
      const { body } = await admin.call<Import>('GET', `/v1/imports/${accepted.body.id}`);
      expect(['SUCCEEDED', 'FAILED']).toContain(body.state);
      return body;
    },
    { timeoutMs: 60_000 },
  );
}

it('finds nothing to change in the catalogue that the first start imported', async () => {
  const report = await importFile(SAMPLE);
  expect(report).toMatchObject({ state: 'SUCCEEDED', created: 0, updated: 0, rejectedCount: 0 });
  expect(report.imported).toBeGreaterThan(30);
});

it('changes what was edited, adds what is new, and rejects rows with their reasons', async () => {
  const row = (handle: string, title: string, price: string) =>
    `${handle},${title},<p>Fine.</p>,Souk,Lamp,new,,,,5,${price}`;
  await importFile([HEADER, row('e2e-lamp', 'Lamp', '10.00')].join('\n'));
  const report = await importFile(
    [HEADER, row('e2e-lamp', 'Better lamp', '12.00'), row('e2e-rug', 'Rug', '80'), row('e2e-bad', 'Bad', '-1')].join(
      '\n',
    ),
  );
  expect(report).toMatchObject({
    state: 'SUCCEEDED',
    created: 1,
    updated: 1,
    rejectedCount: 1,
    rejected: [{ row: 4 }],
  });
  const { body: lamp } = await admin.call<Product>('GET', '/v1/products/e2e-lamp');
  expect(lamp).toMatchObject({ title: 'Better lamp', variants: [{ price: { amount: 1_200 } }] });
  await eventually(async () => expect((await admin.stock('E2E-LAMP')).available).toBe(5));
});

it.each([
  ['an empty file', ''],
  ['a file of something else', 'name,age\nAda,36\n'],
  ['a quote that is never closed', `${HEADER}\nx,"X,,,,,,,,1,1\n`],
])('refuses %s', async (_, file) => {
  if (file === '') {
    const { status, body } = await admin.call<Problem>('POST', '/v1/products/import', file);
    expect({ status, reason: body.reason }).toEqual({ status: 400, reason: 'IMPORT_EMPTY' });
    return;
  }
  const report = await importFile(file);
  expect(report.state).toBe('FAILED');
  expect(report.rejected[0]?.reason).toMatch(/\w+/);
});

it('tells every event to whoever listens with a NATS client', async () => {
  const { body: page } = await admin.call<{ items: Product[] }>('GET', '/v1/products?query=lamp');
  const sku = page.items.flatMap(({ variants }) => variants).find(({ available }) => available > 1)?.sku ?? '';
  const { body: order } = await admin.placeOrder({ sku });
  const nats = await connect({ servers: `127.0.0.1:${souk.ports.nats}` });
  try {
    const manager = await jetstreamManager(nats);
    await eventually(async () => {
      const message = await manager.streams.getMessage('ORDERS', { last_by_subj: 'souk.orders.v1.OrderConfirmed' });
      const event = message?.json<{ order: { orderId: string; state: string } }>();
      expect(event?.order).toMatchObject({ orderId: order.id, state: 'STATE_CONFIRMED' });
      expect(message?.header.get('ce-type')).toBe('souk.orders.v1.OrderConfirmed');
    });
  } finally {
    await nats.close();
  }
});
