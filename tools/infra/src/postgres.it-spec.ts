import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureDatabases, serviceDatabaseUrl } from './databases.ts';
import { freePort } from './ports.ts';
import { startPostgres, type PostgresOptions, type RunningPostgres } from './postgres.ts';

const orders = { service: 'orders', password: "orders' own" };
const payments = { service: 'payments', password: 'payments-own' };
const databases = [orders, payments];

describe('the local Postgres', () => {
  let folder: string;
  let options: PostgresOptions;
  let server: RunningPostgres;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-infra-'));
    chmodSync(folder, 0o755);
    const dataDir = join(folder, 'postgres');
    options = { dataDir, port: await freePort(), logFile: join(folder, 'postgres.log'), password: 'se/cret' };
    server = await startPostgres(options);
    await ensureDatabases(server.adminUrl, databases);
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('keeps a committed row when it is killed and started again', async () => {
    const url = serviceDatabaseUrl(server.adminUrl, orders);
    await query(url, 'CREATE TABLE kept (n int)');
    await query(url, 'INSERT INTO kept VALUES (7)');
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
    server = await startPostgres(options);
    expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  it('replaces a server that an earlier run left behind on the same folder', async () => {
    const left = server;
    server = await startPostgres(options);
    await left.ended;
    expect(await query(server.adminUrl, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });

  it.each(['souk_payments', 'postgres', 'template1'])('does not let the role of orders connect to %s', async (name) => {
    const url = new URL(serviceDatabaseUrl(server.adminUrl, orders));
    url.pathname = `/${name}`;
    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '42501' });
  });

  it('accepts no wrong password', async () => {
    const url = serviceDatabaseUrl(server.adminUrl, { ...orders, password: 'wrong' });
    await expect(query(url, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('makes databases again without harm', async () => {
    await ensureDatabases(server.adminUrl, databases);
    const url = serviceDatabaseUrl(server.adminUrl, payments);
    expect(await query(url, 'SELECT current_user AS name')).toEqual([{ name: 'souk_payments' }]);
  });

  it('says in words that the password does not fit the data folder', async () => {
    await expect(startPostgres({ ...options, password: 'other' })).rejects.toThrow(/made with another password/);
    server = await startPostgres(options);
  });
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
