import { Registry } from '@souk/discovery';
import { createLogger } from '@souk/telemetry';
import { eventually, testNats, type TestNats } from '@souk/testing';
import { SystemView } from '../src/system.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

const PATIENT = { timeoutMs: 30_000 };

let nats: TestNats;
let gateway: RunningGateway;

beforeAll(async () => void (nats = await testNats()));
afterEach(() => gateway.stop());
afterAll(() => nats.close());

interface Listed {
  registry: string;
  items: {
    service: string;
    address: string;
    state: string | null;
    version: string | null;
    connection: string | null;
  }[];
}

async function listed(): Promise<Listed> {
  const response = await gateway.fetch('/v1/system/services', { token: gateway.staff });
  expect(response.status).toBe(200);
  return (await response.json()) as Listed;
}

it('lists what registered and what it calls, and finds a service by the registry alone', async () => {
  gateway = await runGateway({
    NATS_URL: nats.url,
    NATS_PREFIX: nats.prefix,
    SOUK_REGISTRY: 'on',
    SOUK_CATALOG_ADDRESS: 'registry:///catalog',
  });
  await gateway.app.get(SystemView).ready();
  const address = gateway.services.addresses.catalog;
  const { url, prefix } = nats;
  const catalog = new Registry({
    url,
    prefix,
    service: 'catalog',
    address,
    version: '1.2.3',
    logger: createLogger('test'),
  });
  try {
    await catalog.announce('ready');
    const expected = { service: 'catalog', address, version: '1.2.3', state: 'ready', connection: 'ready' };
    await eventually(async () => {
      const { registry, items } = await listed();
      expect(registry).toBe('live');
      expect(items).toContainEqual(expect.objectContaining(expected));
      expect(items).toContainEqual(expect.objectContaining({ service: 'gateway', state: 'ready', connection: null }));
      expect(items).toContainEqual(expect.objectContaining({ service: 'orders', state: null, connection: 'ready' }));
    }, PATIENT);
    gateway.services.answers.catalog.listCategories = () => ({ categories: [] });
    expect((await gateway.fetch('/v1/categories')).status).toBe(200);
  } finally {
    await catalog.close();
  }
  await eventually(async () => {
    const { items } = await listed();
    expect(items.filter(({ service }) => service === 'catalog')).toEqual([]);
  }, PATIENT);
});

it('lists what it calls where there is no registry, and to staff alone', async () => {
  gateway = await runGateway();
  await eventually(async () => {
    const { registry, items } = await listed();
    expect(registry).toBe('off');
    expect(items.map(({ service, connection }) => [service, connection])).toContainEqual(['orders', 'ready']);
  }, PATIENT);
  expect((await gateway.fetch('/v1/system/services')).status).toBe(401);
  expect((await gateway.fetch('/v1/system/services', { token: gateway.customer })).status).toBe(403);
});
