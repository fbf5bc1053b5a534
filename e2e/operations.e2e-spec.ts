import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { connectEvents, type EventBus } from '@souk/events';
import { serviceDatabaseUrl } from '@souk/infra';
import { Database, sql } from '@souk/postgres';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { rpcClient } from '@souk/rpc';
import { readRun, type GrpcService } from '@souk/runner';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { createLogger } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { Client } from './client.js';
import { Operator, type Difference } from './ops.js';
import { postToProvider } from './provider.js';

/** What has not rested for two minutes is not judged. */
const RESTED = { timeoutMs: 180_000 };

let souk: LaunchedSouk;
let shop: Client;
let staff: Client;
let operator: Operator;
let bus: EventBus;
let inventory: Database;
const began = new Date();

// Broken first, since it has to rest before it is told of.
let strayHold: { orderId: string; sku: string };
let strayCharge: string;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'] });
  shop = new Client(souk);
  staff = await shop.asAdmin();
  operator = new Operator(souk);
  const { ports, secrets } = souk;
  bus = await connectEvents({ url: `nats://127.0.0.1:${ports.nats}`, name: 'e2e', logger: createLogger('e2e') });
  const login = { service: 'inventory', password: secrets.databasePasswords.inventory };
  inventory = Database.connect({
    url: serviceDatabaseUrl(`postgres://127.0.0.1:${ports.postgres}/`, login),
    name: 'e2e',
  });
  strayHold = await holdWithoutOrder();
  strayCharge = await chargeBehindTheShop();
});

afterAll(async () => {
  await inventory.close();
  await bus.close();
  await souk.stop();
  souk.remove();
});

/** As a process of orders would leave it behind that lost its database. */
async function holdWithoutOrder(): Promise<{ orderId: string; sku: string }> {
  const [sku, orderId] = [await staff.sell(5), randomUUID()];
  const { ports, secrets } = souk;
  const options = { address: `127.0.0.1:${ports.inventory}`, caller: 'orders', serviceToken: secrets.serviceToken };
  const client = rpcClient(InventoryServiceService, options);
  const { state } = await client.holdStock({ orderId, lines: [{ sku, quantity: 2 }], cartId: '' });
  client.close();
  expect(state).toBe('STATE_HELD');
  return { orderId, sku };
}

/** With the provider's own API, past Souk. */
async function chargeBehindTheShop(): Promise<string> {
  const form = { amount: '700', currency: 'usd', payment_method: 'pm_card_visa', confirm: 'true' };
  return (await postToProvider(souk, '/v1/payment_intents', form)).id;
}

async function sellOne(sku: string): Promise<string> {
  const { status, body } = await shop.placeOrder({ sku, token: 'pm_card_visa' });
  expect([status, body.state]).toEqual([201, 'CONFIRMED']);
  return body.id;
}

async function metricsOf(service: GrpcService): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${souk.ports[`${service}-management`]}/metrics`);
  return response.text();
}

const mails = () => readdirSync(join(souk.dataDir, 'mail')).length;

async function settled(sku: string, onHand: number): Promise<void> {
  await eventually(async () => expect(await shop.stock(sku)).toMatchObject({ onHand, held: 0 }), { timeoutMs: 30_000 });
}

const about = (differences: readonly Difference[], check: string, subject: string) =>
  differences.find((one) => one.check === check && one.subject === subject);

async function differenceAbout(service: string, check: string, subject: string): Promise<Difference> {
  return eventually(async () => {
    const found = about(await operator.differences(service), check, subject);
    if (!found) throw new Error(`${check} tells nothing of ${subject}.`);
    return found;
  }, RESTED);
}

it('finds all well with a fresh Souk, and says so', async () => {
  const { code, stdout, stderr } = await operator.run('status');
  expect(stderr).toBe('');
  expect(stdout).toContain('No dead letters.');
  expect(stdout).toContain('No parked orders.');
  expect(code).toBe(0);
});

it('rebuilds a stream that the broker lost, and mails nobody twice (F62, F66)', async () => {
  const sku = await staff.sell(5);
  await sellOne(sku);
  await settled(sku, 4);
  await eventually(() => expect(mails()).toBeGreaterThan(0), { timeoutMs: 30_000 });
  const before = mails();

  await bus.jsm.streams.delete('ORDERS');
  const lost = await differenceAbout('orders', 'outbox-stream', 'lost events');
  expect(lost.mend).toBe('npm run ops -- stream rebuild orders');
  await eventually(
    async () => expect(await metricsOf('orders')).toMatch(/^reconciliation_differences\{check="outbox-stream"\} 1$/m),
    {
      timeoutMs: 30_000,
    },
  );
  expect((await operator.run('status')).code).toBe(1);

  expect(await operator.mend(lost)).toMatchObject({ code: 0, stderr: '' });
  expect(about(await operator.differences('orders'), 'outbox-stream', 'lost events')).toBeUndefined();
  await sellOne(sku);
  await settled(sku, 3);
  await eventually(() => expect(mails()).toBe(before + 1), { timeoutMs: 30_000 });
});

it('replays what a consumer lost: first it fails and is a dead letter, then it is handled (F59)', async () => {
  const consumer = 'inventory-OrderConfirmed';
  const forget = sql('e2e.forget', 'DELETE FROM inbox WHERE consumer = $1');
  const [away, back] = [
    sql('e2e.away', 'ALTER TABLE holds RENAME TO away'),
    sql('e2e.back', 'ALTER TABLE away RENAME TO holds'),
  ];
  await inventory.query(forget, [consumer]);
  await inventory.query(away);
  const failed = await operator.run(`events replay --consumer ${consumer} --from ${began.toISOString()}`);
  await inventory.query(back);
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^0 handled, 0 skipped .*, [1-9]\d* failed/) });

  const [letter] = (await operator.differences('inventory')).filter(({ check }) => check === 'dead-letters');
  expect((await operator.run('dead-letters inventory')).code).toBe(1);
  expect(await operator.mend(letter!)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 handled') });
  expect((await operator.run('dead-letters replay --all')).code).toBe(0);
  expect(await operator.run('dead-letters')).toMatchObject({ code: 0, stdout: 'No dead letters.\n' });
});

it('hands events to the mails again, and mails nobody (F66)', async () => {
  const before = mails();
  const again = await operator.run(
    `events replay --consumer notifications-OrderConfirmed --from ${began.toISOString()} --again`,
  );
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[1-9]\d* handled/) });
  await eventually(async () => expect(await metricsOf('notifications')).toContain('inbox_handled_total'));
  expect(mails()).toBe(before);
});

it('finds units that are held for no order, and sets them free', async () => {
  const { orderId, sku } = strayHold;
  const held = await differenceAbout('orders', 'orders-holds', orderId);
  expect(held.mend).toBe(`npm run ops -- stock release ${orderId}`);
  expect(await operator.mend(held)).toMatchObject({ code: 0, stderr: '' });
  expect(await shop.stock(sku)).toMatchObject({ held: 0, available: 5 });
  expect(about(await operator.differences('orders'), 'orders-holds', orderId)).toBeUndefined();
});

it('finds money that no payment accounts for, until it is given back (F45)', async () => {
  const stray = await differenceAbout('payments', 'payments-provider', strayCharge);
  expect(stray.mend).toBe(`See to ${strayCharge} in the provider's dashboard.`);
  await postToProvider(souk, '/v1/refunds', { payment_intent: strayCharge });
  expect(about(await operator.differences('payments'), 'payments-provider', strayCharge)).toBeUndefined();
});

it('counts what waits, for everyone who watches', async () => {
  expect(await metricsOf('orders')).toMatch(/^orders_sagas_parked 0$/m);
  expect(await metricsOf('orders')).toMatch(/^outbox_unsent\{source="orders"\} 0$/m);
  expect(await metricsOf('payments')).toMatch(/^payments_unsettled\{state="PROCESSING"\} 0$/m);
});

it('says which service is away, and what the others know', async () => {
  const { pid } = readRun(join(souk.dataDir, 'run.json'))!.children['notifications']!;
  process.kill(pid, 'SIGSTOP');
  try {
    const { code, stdout, stderr } = await operator.run('differences');
    expect(stderr).toMatch(/notifications at 127\.0\.0\.1:\d+ did not answer in time/);
    expect(stdout).toContain('orders-holds');
    expect(code).toBe(1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});
