/** What can be seen of one order: one trace over all services, their metrics, and the lines of their logs. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually, receiveSpans, type OtlpReceiver, type ReceivedSpan } from '@souk/testing';
import { ADDRESS, Client, type Order } from './client.js';

const CARD = 'pm_card_visa';

let receiver: OtlpReceiver;
let souk: LaunchedSouk;
let order: Order;
const traceId = randomBytes(16).toString('hex');
const outside = randomBytes(8).toString('hex');

beforeAll(async () => {
  receiver = await receiveSpans();
  souk = await launchSouk({
    args: ['--no-sale'],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '200',
      LOG_LEVEL: 'debug',
    },
  });
  const shop = new Client(souk);
  const sku = await (await shop.asAdmin()).sell(10);
  const body = {
    lines: [{ sku, quantity: 1 }],
    email: 'ada@example.com',
    shippingAddress: ADDRESS,
    payment: { method: 'card', token: CARD },
  };
  const headers = { 'idempotency-key': 'once', traceparent: `00-${traceId}-${outside}-01` };
  ({ body: order } = await shop.call<Order>('POST', '/v1/orders', body, headers));
  expect(order.state).toBe('CONFIRMED');
  await eventually(
    () => {
      for (const service of ['inventory', 'payments', 'notifications'])
        expect(find(service, 'process souk.orders.v1.OrderConfirmed')).toBeDefined();
      expect(orphans()).toMatchObject([{ name: 'POST /v1/orders', parentSpanId: outside }]);
    },
    { timeoutMs: 30_000 },
  );
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
  receiver.close();
});

const trace = () => receiver.spans.filter((span) => span.traceId === traceId);
const orphans = () => trace().filter((span) => !parentOf(span));
const find = (service: string, name: string) => trace().find((span) => span.service === service && span.name === name);

/** The span and all that it belongs to, from the outside in. */
function pathTo(service: string, name: string): string[] {
  const path: string[] = [];
  for (let span = find(service, name); span; span = parentOf(span)) path.unshift(`${span.service}: ${span.name}`);
  return path;
}

function parentOf({ parentSpanId }: ReceivedSpan): ReceivedSpan | undefined {
  return trace().find(({ spanId }) => spanId === parentSpanId);
}

const PLACING = [
  'gateway: POST /v1/orders',
  'gateway: souk.orders.v1.OrdersService/PlaceOrder',
  'orders: souk.orders.v1.OrdersService/PlaceOrder',
];
const SETTLING = [...PLACING, 'orders: checkout saga'];
const AUTHORIZING = ['orders', 'payments'].map(
  (service) => `${service}: souk.payments.v1.PaymentsService/AuthorizePayment`,
);
const CONFIRMED = [...SETTLING, 'orders: send souk.orders.v1.OrderConfirmed'];
const consumed = (service: string) => [...CONFIRMED, `${service}: process souk.orders.v1.OrderConfirmed`];

it.each([
  ['orders', 'orders.insert', [...PLACING, 'orders: transaction']],
  ['orders', 'outbox.append', [...PLACING, 'orders: transaction']],
  ['inventory', 'stock.lock', [...SETTLING, ...calls('inventory', 'HoldStock'), 'inventory: transaction']],
  ['payments', 'POST /v1/payment_intents', [...SETTLING, ...AUTHORIZING]],
  ['orders', 'orders.update', [...SETTLING, 'orders: transaction']],
  ['payments', 'payments.request_captures', [...consumed('payments'), 'payments: transaction']],
  ['notifications', 'notifications.insert', [...consumed('notifications'), 'notifications: transaction']],
])('traces what %s does in %s back to the request', (service, name, path) => {
  expect(pathTo(service, name)).toEqual([...path, `${service}: ${name}`]);
});

it('has no span whose cause is missing, and goes on with the trace of whoever asked', () => {
  expect(orphans()).toMatchObject([{ name: 'POST /v1/orders', parentSpanId: outside }]);
  expect(trace().filter(({ failed }) => failed)).toEqual([]);
});

it('says nothing of persons, cards and secrets in spans', () => {
  const { serviceToken, stripeApiKey, adminPassword } = souk.secrets;
  const { name, line1, city, postalCode } = ADDRESS;
  const secrets = [
    'ada@example.com',
    'admin@souk.local',
    CARD,
    order.accessToken,
    serviceToken,
    stripeApiKey,
    adminPassword,
  ];
  const text = JSON.stringify(receiver.spans);
  for (const secret of [...secrets, name, line1, city, postalCode]) expect(text).not.toContain(secret);
});

it('is counted and timed by every service that worked for it', async () => {
  const placed = 'rpc_server_duration_seconds_count{method="souk.orders.v1.OrdersService/PlaceOrder",code="OK"} 1';
  const charged = 'payments_provider_duration_seconds_count{route="POST /v1/payment_intents",status="200"} 1';
  await eventually(async () => {
    expect(await metricsOf('orders')).toContain(placed);
    expect(await metricsOf('orders')).toContain('orders_saga_duration_seconds_count{outcome="CONFIRMED"} 1');
    expect(await metricsOf('orders')).toContain('outbox_published_total{source="orders"} 2');
    expect(await metricsOf('orders')).toMatch(/db_pool_connections{state="idle"} [1-8]/);
    expect(await metricsOf('inventory')).toContain('inventory_holds_total{outcome="HELD"} 1');
    expect(await metricsOf('payments')).toContain(charged);
    for (const service of ['inventory', 'payments', 'notifications'] as const)
      expect(await metricsOf(service)).toContain(`inbox_handled_total{consumer="${service}-OrderConfirmed"} 1`);
  });
});

it('leaves lines with the id of its trace in the logs, and at most one per service that is not for debugging', () => {
  const lines = logLines().filter((line) => line['traceId'] === traceId);
  expect(lines).toContainEqual(
    expect.objectContaining({ service: 'gateway', msg: 'request answered', route: '/v1/orders', status: 201 }),
  );
  const loud = lines.filter(({ level }) => level !== 'debug').map(({ service }) => service);
  expect(loud).toEqual([...new Set(loud)]);
});

function calls(service: string, method: string): string[] {
  const name = `souk.${service}.v1.${service[0]?.toUpperCase()}${service.slice(1)}Service/${method}`;
  return [`orders: ${name}`, `${service}: ${name}`];
}

async function metricsOf(service: 'orders' | 'payments' | 'inventory' | 'notifications'): Promise<string> {
  return (await fetch(`http://127.0.0.1:${souk.ports[`${service}-management`]}/metrics`)).text();
}

function logLines(): Record<string, unknown>[] {
  const folder = join(souk.dataDir, 'logs');
  return readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}
