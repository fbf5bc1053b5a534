/** Who did what, from the request of a person to the list that an auditor reads, and the check of all chains. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { serviceDatabaseUrl } from '@souk/infra';
import { Database, sql } from '@souk/postgres';
import { AuditServiceService } from '@souk/proto/audit/v1';
import { rpcClient } from '@souk/rpc';
import { localProof, readRun } from '@souk/runner';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';
import { Registry } from './access/identities.js';
import { Client } from './client.js';
import { Operator } from './ops.js';

interface Page {
  readonly items: readonly {
    readonly chain: string;
    readonly call: string;
    readonly outcome: string;
    readonly action: string;
    readonly reason: string;
  }[];
}

const UNFINISHED = sql(
  'e2e.unfinished',
  `SELECT call_id FROM audit_log GROUP BY call_id HAVING bool_and(outcome = 'asked')`,
);
const SERVICES = ['identity', 'catalog', 'inventory', 'orders', 'payments', 'notifications'] as const;

let souk: LaunchedSouk;
let shop: Client;
let admin: Client;
let registry: Registry;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'] });
  shop = new Client(souk);
  admin = await shop.asAdmin();
  registry = new Registry(souk);
  await registry.theAdmin();
});
afterAll(async () => {
  registry.close();
  await souk.stop();
  souk.remove();
});

const audit = async (query: string): Promise<Page['items']> =>
  (await admin.call<Page>('GET', `/v1/audit?${query}`)).body.items;

it('finds the refund of a member of staff: asked, allowed, by whom and of which order', async () => {
  const sku = await admin.sell(3);
  const { body: order } = await shop.placeOrder({ sku, token: 'pm_card_visa' });
  const person = await registry.person('refunder', ['orders:refund']);
  const staff = new Client(souk, person.token);
  await eventually(async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const { status } = await staff.call('POST', `/v1/orders/${order.id}/refunds`, { amount: 500 }, headers);
    expect(status).toBe(201);
  });
  await eventually(async () => {
    const found = await audit(`object=${order.id}&action=RefundPayment&limit=2`);
    expect(found).toMatchObject([
      { chain: 'payments', outcome: 'allowed', reason: 'orders:refund', object: { type: 'order', id: order.id } },
      { chain: 'payments', outcome: 'asked', who: { kind: 'user' }, source: '127.0.0.1' },
    ]);
    expect(found[0]?.call).toBe(found[1]?.call);
  });
});

it('finds what the gateway refused before it asked anybody', async () => {
  const customer = await shop.asCustomer();
  expect((await customer.call('GET', '/v1/audit')).status).toBe(403);
  await eventually(async () => {
    const found = await audit('outcome=denied&action=GET%20/v1/audit');
    expect(found).toMatchObject([{ chain: 'identity', service: 'gateway', reason: 'PERMISSION_DENIED' }]);
  });
});

it('shows a change of stock in whose midst the process was killed: asked, and never more', async () => {
  const sku = await admin.sell(3);
  await eventually(async () => expect(await audit(`object=${sku}&action=SetStock&outcome=allowed`)).toHaveLength(1));
  const { ports, secrets, dataDir } = souk;
  const login = { service: 'inventory', password: secrets.databasePasswords.inventory };
  const url = serviceDatabaseUrl(`postgres://127.0.0.1:${ports.postgres}/`, login);
  const inventory = Database.connect({ url, name: 'e2e' });
  await inventory.transaction(async (tx) => {
    // So that the change has to wait.
    await tx.query(sql('e2e.hold_stock', 'SELECT sku FROM stock WHERE sku = $1 FOR UPDATE'), [sku]);
    const change = admin.call('PUT', `/v1/stock/${sku}`, { onHand: 7 }).catch(() => undefined);
    const asked = sql('e2e.asked', `SELECT seq FROM audit_log WHERE object_id = $1 AND outcome = 'asked'`);
    await eventually(async () => expect((await inventory.query(asked, [sku])).length).toBe(2));
    // Outcomes are written in batches: that of whoever has just read the records, too, is kept before the kill.
    await eventually(async () => expect(await inventory.query(UNFINISHED)).toHaveLength(1));
    process.kill(readRun(join(dataDir, 'run.json'))?.children['inventory']?.pid ?? 0, 'SIGKILL');
    await change;
  });
  await inventory.close();
  await eventually(
    async () => {
      expect(await audit(`object=${sku}&outcome=unfinished`)).toMatchObject([
        { chain: 'inventory', action: 'souk.inventory.v1.InventoryService/SetStock', reason: 'stock:write' },
      ]);
      const { code, stdout } = await new Operator(souk).run('audit verify inventory --json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([{ service: 'inventory', brokenSequence: '0', unfinished: '1' }]);
    },
    { timeoutMs: 60_000 },
  );
});

it('has chains that are whole', async () => {
  for (const service of SERVICES) {
    const client = rpcClient(AuditServiceService, {
      address: `127.0.0.1:${souk.ports[service]}`,
      service,
      caller: 'ops',
      ...localProof(souk.dataDir),
    });
    expect(await client.verifyChain({ knownSequence: 0n, knownHash: '' })).toMatchObject({ brokenSequence: 0n });
    client.close();
  }
});
