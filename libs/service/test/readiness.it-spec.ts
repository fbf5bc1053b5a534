/** The health of a real service whose database goes away and comes back, over HTTP and gRPC. */
import { Client, credentials } from '@grpc/grpc-js';
import { createLogger } from '@souk/telemetry';
import {
  eventually,
  tcpProxy,
  testDatabase,
  testNats,
  type TcpProxy,
  type TestDatabase,
  type TestNats,
} from '@souk/testing';
import { DataModule } from '../src/data.module.js';
import { startService, type RunningService } from '../src/service.js';

const PATIENCE = { timeoutMs: 30_000 };
const SERVING = Buffer.from([8, 1]);
const NOT_SERVING = Buffer.from([8, 2]);

let database: TestDatabase;
let nats: TestNats;
let wire: TcpProxy;
let service: RunningService | undefined;

beforeEach(async () => {
  [database, nats] = await Promise.all([testDatabase({ migrations: 'apps/notifications/migrations' }), testNats()]);
  wire = await tcpProxy(database.url);
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await wire.close();
  await Promise.all([database.drop(), nats.close()]);
});

async function start(managementPort: number): Promise<RunningService> {
  const config = { DATABASE_URL: wire.url, NATS_URL: nats.url, NATS_PREFIX: nats.prefix };
  const logger = createLogger('readiness');
  return (service = await startService({
    name: 'notifications',
    module: DataModule.with({ name: 'notifications', config, logger, publishes: false }),
    controllers: [],
    host: '127.0.0.1',
    port: 0,
    management: { host: '127.0.0.1', port: managementPort },
    serviceToken: 'a secret of the services',
    signingKeys: async () => [],
    logger,
  }));
}

const ask = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`);

/** What grpc.health.v1 says of the whole server. */
function health(): Promise<Buffer> {
  const client = new Client(`127.0.0.1:${service?.port}`, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, Buffer.alloc(0), (error, answer) =>
      error ? reject(error) : resolve(answer ?? Buffer.alloc(0)),
    );
  }).finally(() => client.close());
}

it('is ready while its database answers, and says so in both ways', async () => {
  const { managementPort = 0 } = await start(0);
  expect((await ask(managementPort, '/readyz')).status).toBe(200);
  expect(await health()).toEqual(SERVING);
  await wire.cut();
  await eventually(async () => {
    const response = await ask(managementPort, '/readyz');
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 503,
      body: { parts: { database: 'away', nats: 'ok' } },
    });
    expect(await health()).toEqual(NOT_SERVING);
  }, PATIENCE);
  expect((await ask(managementPort, '/livez')).status).toBe(200);
  await wire.mend();
  await eventually(async () => {
    expect((await ask(managementPort, '/readyz')).status).toBe(200);
    expect(await health()).toEqual(SERVING);
  }, PATIENCE);
});

it('can be asked while it still waits for its database', async () => {
  const port = await freePort();
  await wire.cut();
  const starting = start(port);
  await eventually(async () => {
    const statuses = await Promise.all(
      ['/livez', '/startupz', '/readyz'].map(async (path) => (await ask(port, path)).status),
    );
    expect(statuses).toEqual([200, 503, 503]);
  }, PATIENCE);
  await wire.mend();
  await starting;
  expect((await ask(port, '/startupz')).status).toBe(200);
});

async function freePort(): Promise<number> {
  const probe = await tcpProxy(database.url);
  const port = Number(new URL(`tcp://${probe.address}`).port);
  await probe.close();
  return port;
}
