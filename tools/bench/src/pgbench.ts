/** The yardstick: `pgbench -N` (one update, one select, one insert a transaction) on the Postgres that Souk uses. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const SCALE = '10';
const CLIENTS = '16';

export interface Yardstick {
  /** Transactions a second. */
  measure(seconds: number): Promise<number>;
  close(): Promise<void>;
}

/** @returns undefined where this machine has no pgbench */
export async function yardstick(adminUrl: string): Promise<Yardstick | undefined> {
  const found = await run('pgbench', ['--version']).then(
    () => true,
    () => false,
  );
  if (!found) return undefined;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query('CREATE DATABASE souk_yardstick');
  const url = new URL(adminUrl);
  url.pathname = '/souk_yardstick';
  await run('pgbench', ['-i', '-q', '-s', SCALE, url.href]);
  return {
    measure: async (seconds) => {
      const { stdout } = await run('pgbench', ['-N', '-c', CLIENTS, '-j', '2', '-T', String(seconds), url.href]);
      return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
    },
    close: async () => {
      await admin.query('DROP DATABASE souk_yardstick WITH (FORCE)');
      await admin.end();
    },
  };
}
