/** Reads everything that the checks compare, once nothing changes any more. */
import { existsSync, readdirSync } from 'node:fs';
import { GRPC_SERVICES, layout } from '@souk/runner';
import type { Cluster } from './cluster.ts';
import { GOODS } from './goods.ts';
import type { History } from './history.ts';
import type { HttpClient } from './http.ts';
import { reconcile } from './reconcile.ts';
import { sharingOf } from './sharing.ts';
import type { Sources } from './sources.ts';
import type { Sent } from './wires-process.ts';
import type { ConsumerState, ServiceEvents, StoredOrder, World } from './world.ts';

const DEAD_LETTERS = 'DEAD_LETTERS';
const ORDER_MAILS = 'SELECT order_id, kind, state FROM notifications WHERE order_id IS NOT NULL';
const CART_HOLDS = 'SELECT cart_id, lines, extract(epoch FROM now() - expires_at)::float8 AS overdue FROM cart_holds';

/**
 * @param shop reached with the token of staff
 * @param samples of what went over the links
 */
export async function readWorld(
  cluster: Cluster,
  sources: Sources,
  history: History,
  shop: { http: HttpClient; token: string },
  samples: readonly Sent[],
): Promise<World> {
  const streams = await sources.streams();
  return {
    operations: history.operations,
    goods: GOODS,
    orders: await sources.rows<StoredOrder>('orders', 'SELECT * FROM orders'),
    listed: await listOrders(shop.http, shop.token),
    stock: await sources.rows('inventory', 'SELECT * FROM stock ORDER BY sku'),
    holds: await sources.rows('inventory', 'SELECT order_id, state, lines FROM holds'),
    cartHolds: await sources.rows('inventory', CART_HOLDS),
    movements: await sources.rows('inventory', 'SELECT * FROM movements ORDER BY movement_id'),
    shown: await shownAvailability(shop.http),
    payments: await sources.rows('payments', 'SELECT * FROM payments'),
    captures: await sources.rows('payments', 'SELECT * FROM captures'),
    refunds: await sources.rows('payments', 'SELECT * FROM refunds'),
    ledger: await sources.rows('payments', 'SELECT payment_id, debit, credit, amount FROM ledger'),
    books: await sources.books(),
    services: await Promise.all(sources.publishers.map((service) => readService(sources, service, streams))),
    consumers: await readConsumers(sources),
    deadLetters: streams.includes(DEAD_LETTERS)
      ? (await sources.events(DEAD_LETTERS)).map(({ id, type }) => `${type} ${id}`)
      : [],
    checkRuns: await reconcile(cluster),
    notifications: await sources.rows('notifications', ORDER_MAILS),
    mails: filesIn(layout(cluster.folder).mail),
    crashes: cluster.crashes,
    sharings: sharingOf(samples),
  };
}

async function readService(sources: Sources, service: string, streams: readonly string[]): Promise<ServiceEvents> {
  const stream = service.toUpperCase();
  return {
    service,
    outbox: await sources.rows(service, 'SELECT id, type, aggregate_id, data FROM outbox ORDER BY sequence'),
    stream: streams.includes(stream) ? await sources.events(stream) : [],
  };
}

/** The durable consumers are named `<service>-<event>`, and so are the rows of that service's inbox. */
async function readConsumers(sources: Sources): Promise<ConsumerState[]> {
  const consumers = await sources.consumers();
  return Promise.all(
    consumers.map(async ({ name, stream_name: stream, config }) => {
      const service = GRPC_SERVICES.find((candidate) => name.startsWith(`${candidate}-`));
      if (!service) throw new Error(`The consumer ${name} is no service's.`);
      const query = `SELECT event_id FROM inbox WHERE consumer = '${name}'`;
      const handled = await sources.rows<{ event_id: string }>(service, query);
      return { name, stream, type: config.filter_subject ?? '', handled: handled.map((row) => row.event_id) };
    }),
  );
}

async function listOrders(http: HttpClient, token: string): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for (let cursor = ''; ;) {
    const query = new URLSearchParams({ limit: '100', ...(cursor && { cursor }) });
    const { status, body } = await http.call({ path: `/v1/orders?${query.toString()}`, token });
    if (status !== 200) throw new Error(`The list of orders answered ${status}.`);
    const { items, nextCursor } = body as { items: { id: string; state: string }[]; nextCursor: string | null };
    for (const { id, state } of items) states.set(id, state);
    if (!nextCursor) return states;
    cursor = nextCursor;
  }
}

async function shownAvailability(http: HttpClient): Promise<Map<string, number>> {
  const { status, body } = await http.call({ path: '/v1/products?limit=100' });
  if (status !== 200) throw new Error(`The list of products answered ${status}.`);
  const { items } = body as { items: { variants: { sku: string; available?: number }[] }[] };
  const variants = items.flatMap((item) => item.variants);
  return new Map(variants.map(({ sku, available }) => [sku, available ?? Number.NaN]));
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.eml')) : [];
}
