import { randomBytes } from 'node:crypto';
import { IdentityServiceService } from '@souk/proto/identity/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { runInContext } from '@souk/telemetry';
import { testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import type { IdentityConfig } from '../src/config.js';
import { identityService } from '../src/service.js';

const SERVICE_TOKEN = 'a token of the tests only';

export type IdentityClient = RpcClient<typeof IdentityServiceService>;

/** Database and broker of one spec, and as many replicas of identity over them as it starts. */
export class IdentityUnderTest {
  private readonly running: RunningService[] = [];
  private readonly clients: IdentityClient[] = [];

  private constructor(
    readonly postgres: TestDatabase,
    readonly nats: TestNats,
  ) {}

  static async prepare(): Promise<IdentityUnderTest> {
    const postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    return new IdentityUnderTest(postgres, await testNats());
  }

  readonly keyEncryptionKey = randomBytes(32).toString('base64');

  async start(changes: Partial<IdentityConfig> = {}): Promise<{ service: RunningService; client: IdentityClient }> {
    const config: IdentityConfig = {
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: 0,
      DATABASE_URL: this.postgres.url,
      NATS_URL: this.nats.url,
      NATS_PREFIX: this.nats.prefix,
      SOUK_SERVICE_TOKEN: SERVICE_TOKEN,
      SOUK_KEY_ENCRYPTION_KEY: this.keyEncryptionKey,
      firstAdmin: undefined,
      ...changes,
    };
    const service = await startService(identityService(config));
    this.running.push(service);
    const options = { address: `127.0.0.1:${service.port}`, caller: 'gateway', serviceToken: SERVICE_TOKEN };
    const client = rpcClient(IdentityServiceService, options);
    this.clients.push(client);
    return { service, client };
  }

  async tearDown(): Promise<void> {
    this.clients.forEach((client) => client.close());
    await Promise.all(this.running.map((service) => service.stop()));
    await this.nats.close();
    await this.postgres.drop();
  }
}

/** Makes the call with the person's access token. */
export function as<T>(userToken: string | undefined, call: () => Promise<T>): Promise<T> {
  return runInContext({ requestId: 'test', traceparent: '', userToken }, call);
}
