// Fresh databases for specs. Guarantees: nobody else uses the database, and it has all migrations of the given folder.
// The migrations run once per run and folder; each database is a copy of the result.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Database, migrate } from '@souk/postgres';
import pg from 'pg';

/** A database of one spec. */
export interface TestDatabase {
  url: string;
  database: Database;
  /** Closes the connections and deletes the database. */
  drop(): Promise<void>;
}

/** Makes a database; `migrations` is a folder, relative to the root of the workspace. */
export async function testDatabase({ migrations }: { migrations?: string } = {}): Promise<TestDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await asAdmin(async (admin) => {
    const template = migrations ? await migratedTemplate(admin, workspacePath(migrations)) : 'template0';
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const url = urlOf(name);
  const database = Database.connect({ url, name: 'test', poolSize: 8 });
  const drop = async () => {
    await database.close();
    await asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  return { url, database, drop };
}

async function migratedTemplate(admin: pg.Client, dir: string): Promise<string> {
  const name = `template_${fingerprint(dir)}`;
  const lock = `SELECT pg_advisory_lock(hashtext('${name}'))`;
  await admin.query(lock);
  try {
    const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) {
      // Renamed when it is complete: a template that broke off half-way is never used.
      const draft = `draft_${randomBytes(8).toString('hex')}`;
      await admin.query(`CREATE DATABASE ${draft} TEMPLATE template0`);
      await migrate({ url: urlOf(draft), dir });
      await admin.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
    }
  } finally {
    await admin.query(lock.replace('pg_advisory_lock', 'pg_advisory_unlock'));
  }
  return name;
}

function fingerprint(dir: string): string {
  const hash = createHash('sha256').update(dir);
  for (const file of readdirSync(dir).sort()) {
    hash.update(file).update(readFileSync(path.join(dir, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function asAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: serverUrl() });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(databaseName: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${databaseName}`;
  return url.href;
}

function serverUrl(): string {
  const url = process.env['SOUK_TEST_POSTGRES_URL'];
  if (!url) {
    throw new Error('SOUK_TEST_POSTGRES_URL is not set: name the spec *.it-spec.ts or *.component-spec.ts.');
  }
  return url;
}

/** A path relative to the root of the workspace, wherever Jest was started. */
export function workspacePath(relative: string): string {
  let root = process.cwd();
  while (!existsSync(path.join(root, 'nx.json')) && path.dirname(root) !== root) {
    root = path.dirname(root);
  }
  return path.resolve(root, relative);
}
