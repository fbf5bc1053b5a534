import { randomUUID } from 'node:crypto';
import type { Role } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { CatalogServiceService, type Import, type Product } from '@souk/proto/catalog/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { newRequestId, newTraceparent, runInContext } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import type { CatalogConfig } from '../src/config.js';
import { catalogService } from '../src/service.js';

const SERVICE_TOKEN = 'a token of the tests only';

export type CatalogClient = RpcClient<typeof CatalogServiceService>;

/** Database and broker of one spec, and the catalogue over them. */
export class CatalogUnderTest {
  private service?: RunningService;
  client!: CatalogClient;

  private constructor(
    readonly postgres: TestDatabase,
    readonly nats: TestNats,
    private readonly identity: TestIdentity,
  ) {}

  static async start(changes: Partial<CatalogConfig> = {}): Promise<CatalogUnderTest> {
    const postgres = await testDatabase({ migrations: 'apps/catalog/migrations' });
    const catalog = new CatalogUnderTest(postgres, await testNats(), await testIdentity());
    await catalog.startService(changes);
    return catalog;
  }

  async startService(changes: Partial<CatalogConfig> = {}): Promise<void> {
    const config: CatalogConfig = {
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: 0,
      DATABASE_URL: this.postgres.url,
      NATS_URL: this.nats.url,
      NATS_PREFIX: this.nats.prefix,
      SOUK_SERVICE_TOKEN: SERVICE_TOKEN,
      SOUK_IDENTITY_ADDRESS: '127.0.0.1:1',
      SOUK_CURRENCY: 'USD',
      SOUK_IMPORT_MAX_BYTES: 1024 * 1024,
      ...changes,
    };
    this.service = await startService({ ...catalogService(config), signingKeys: this.identity.keys });
    const address = `127.0.0.1:${this.service.port}`;
    this.client = rpcClient(CatalogServiceService, { address, caller: 'gateway', serviceToken: SERVICE_TOKEN });
  }

  async stopService(): Promise<void> {
    this.client.close();
    await this.service?.stop();
  }

  async tearDown(): Promise<void> {
    await this.stopService();
    await this.nats.close();
    await this.postgres.drop();
  }

  async as<T>(role: Role, call: (client: CatalogClient) => Promise<T>, userId: string = randomUUID()): Promise<T> {
    const userToken = await this.identity.tokenFor({ userId, roles: [role] });
    const context = { requestId: newRequestId(), traceparent: newTraceparent(), userToken };
    return runInContext(context, () => call(this.client));
  }

  /** Sends the file in small pieces. */
  async upload(file: string | Buffer, pieceBytes = 50_000): Promise<Import> {
    const bytes = Buffer.from(file as string);
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield { chunk: bytes.subarray(at, at + pieceBytes) };
    }
    const { import: taken } = await this.as('staff', (client) => client.importProducts(pieces()));
    return taken!;
  }

  async import(importId: string): Promise<Import> {
    return (await this.as('staff', (client) => client.getImport({ importId }))).import!;
  }

  /** Sends the file and waits until it is worked through. */
  async importFile(file: string | Buffer): Promise<Import> {
    const { importId } = await this.upload(file);
    return this.ended(importId);
  }

  ended(importId: string): Promise<Import> {
    const check = async () => {
      const found = await this.import(importId);
      expect(['STATE_SUCCEEDED', 'STATE_FAILED']).toContain(found.state);
      return found;
    };
    return eventually(check, { timeoutMs: 20_000, intervalMs: 50 });
  }

  async product(reference: string): Promise<Product> {
    return (await this.client.getProduct({ product: reference })).product!;
  }

  async list(more: { query?: string; category?: string; pageSize?: number; pageToken?: string } = {}) {
    return this.client.listProducts({ query: '', category: '', pageSize: 100, pageToken: '', ...more });
  }

  async events(type: string): Promise<{ aggregateId: string; data: unknown }[]> {
    const rows = await this.postgres.database.query<{ aggregate_id: string; data: string }>(
      { name: `test.events.${type}`, text: `SELECT aggregate_id, data FROM outbox WHERE type = $1 ORDER BY sequence` },
      [`souk.catalog.v1.${type}`],
    );
    return rows.map((row) => ({ aggregateId: row.aggregate_id, data: JSON.parse(row.data) as unknown }));
  }
}
