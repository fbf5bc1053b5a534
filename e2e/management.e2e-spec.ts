/** What a running Souk tells of itself on its management ports, and what it keeps to itself. */
import { networkInterfaces } from 'node:os';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';

const SERVICES = ['gateway', 'identity', 'catalog', 'inventory', 'orders', 'payments', 'notifications'] as const;

let souk: LaunchedSouk;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_COMMIT: 'abc123' } });
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

function ask(service: (typeof SERVICES)[number], path: string, init: RequestInit = {}, token = ''): Promise<Response> {
  const headers = { ...(token && { authorization: `Bearer ${token}` }) };
  return fetch(`http://127.0.0.1:${souk.ports[`${service}-management`]}${path}`, { ...init, headers });
}

async function told(service: (typeof SERVICES)[number], path: string): Promise<string> {
  const response = await ask(service, path, {}, souk.secrets.managementToken);
  expect(response.status).toBe(200);
  return response.text();
}

describe.each(SERVICES)('%s', (service) => {
  it('lives, has started and is ready, and says so in its metrics', async () => {
    for (const path of ['/livez', '/startupz', '/readyz']) expect((await ask(service, path)).status).toBe(200);
    await eventually(async () => {
      const text = await told(service, '/metrics');
      expect(text).toContain('souk_ready 1');
      expect(text).toContain('souk_build_info{version="development",commit="abc123"} 1');
    });
  });

  it('says what runs', async () => {
    const info = JSON.parse(await told(service, '/info')) as Record<string, unknown>;
    expect(info).toMatchObject({
      service,
      version: 'development',
      commit: 'abc123',
      config: expect.any(String) as string,
    });
  });

  it('tells its configuration without a secret, and only to whoever has the token', async () => {
    expect((await ask(service, '/config')).status).toBe(401);
    expect((await ask(service, '/profile', { method: 'POST' }, 'guessed')).status).toBe(401);
    const config = await told(service, '/config');
    expect(JSON.parse(config)).toMatchObject({
      MANAGEMENT_PORT: { source: 'environment' },
      SOUK_TLS: { source: process.env['SOUK_TLS'] ? 'environment' : 'not set' },
    });
    const { databasePasswords, ...others } = souk.secrets;
    for (const secret of [...Object.values(databasePasswords), ...Object.values(others)])
      expect(config).not.toContain(secret);
  });

  it('tells what can be called, and by whom', async () => {
    const routes = JSON.parse(await told(service, '/routes')) as { route: string; access: string }[];
    expect(routes.length).toBeGreaterThan(3);
    expect(routes.filter(({ access }) => access === '' || access === 'none')).toEqual([]);
  });
});

it('tells jobs and consumers', async () => {
  const jobs = JSON.parse(await told('orders', '/jobs')) as { name: string; running: boolean; failures: number }[];
  expect(jobs).toContainEqual(expect.objectContaining({ name: 'the outbox relay', running: true, failures: 0 }));
  const consumers = JSON.parse(await told('payments', '/consumers')) as { durable: string }[];
  expect(consumers.map(({ durable }) => durable)).toContain('payments-OrderConfirmed');
});

it('takes a heap snapshot on demand', async () => {
  const response = await ask('catalog', '/heap-snapshot', { method: 'POST' }, souk.secrets.managementToken);
  const snapshot = (await response.json()) as { snapshot: { node_count: number } };
  expect(snapshot.snapshot.node_count).toBeGreaterThan(1_000);
}, 60_000);

it('listens on this machine alone', async () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((face) => face && !face.internal && face.family === 'IPv4');
  if (!outside) return;
  const address = `http://${outside.address}:${souk.ports['orders-management']}/livez`;
  await expect(fetch(address)).rejects.toThrow();
});
