// Applies a folder's migrations: plain SQL files `0001_create_orders.sql`, each with a section `-- Up Migration` and, where it can be
// undone, `-- Down Migration`. Guarantees: all that are missing are applied in one transaction or none is, and of two that
// run at once the second waits and finds nothing left to do.
import path from 'node:path';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionBroken, translate } from './database-errors.js';

/** Which database, and where the SQL files are. */
export interface MigrateOptions {
  url: string;
  dir: string;
  /** How long to wait for a database that is not there yet (60 s). */
  waitMs?: number;
}

const silent = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Applies the missing migrations and answers their names. */
export async function migrate({ url, dir, waitMs = 60_000 }: MigrateOptions): Promise<string[]> {
  const client = await connect(url, Date.now() + waitMs);
  try {
    const applied = await runner({
      dbClient: client,
      dir: path.resolve(dir),
      direction: 'up',
      migrationsTable: 'migrations',
      singleTransaction: true,
      advisoryLockMode: 'wait',
      logger: silent,
    });
    return applied.map(({ name }) => name);
  } catch (error) {
    throw translate(error);
  } finally {
    await client.end();
  }
}

async function connect(url: string, until: number): Promise<pg.Client> {
  for (;;) {
    const client = new pg.Client({ connectionString: url, application_name: 'migrate', pipeline: true });
    client.on('error', quiet);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (!isConnectionBroken(error) || Date.now() > until) {
        throw translate(error);
      }
      await sleep(250);
    }
  }
}

function quiet(): void {
  // What was done is the answer, what went wrong is the error.
}
