/**
 * One role and one database per service. Guarantees that a service's role can connect to its own database and to no
 * other, the server's own included. May be run again at any time.
 */
import pg from 'pg';

export interface ServiceDatabase {
  readonly service: string;
  readonly password: string;
}

/** Makes what is missing, sets the passwords anew and closes every database to everybody but its owner. */
export async function ensureDatabases(adminUrl: string, databases: readonly ServiceDatabase[]): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const database of databases) await ensureDatabase(client, database);
    await closeToOthers(client);
  } finally {
    await client.end();
  }
}

/** Connection of a service's role to its database, on the server of `adminUrl`. */
export function serviceDatabaseUrl(adminUrl: string, { service, password }: ServiceDatabase): string {
  const url = new URL(adminUrl);
  url.username = `souk_${service}`;
  url.password = encodeURIComponent(password);
  url.pathname = `/souk_${service}`;
  return url.href;
}

async function ensureDatabase(client: pg.Client, { service, password }: ServiceDatabase): Promise<void> {
  const name = `souk_${service}`;
  const quoted = client.escapeIdentifier(name);
  const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (roles.rowCount === 0) await client.query(`CREATE ROLE ${quoted} LOGIN`);
  await client.query(`ALTER ROLE ${quoted} PASSWORD ${client.escapeLiteral(password)}`);
  const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (found.rowCount === 0) await client.query(`CREATE DATABASE ${quoted} OWNER ${quoted}`);
}

/** Postgres lets everybody connect to a new database; that is taken back for all of them. */
async function closeToOthers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datallowconn');
  for (const { datname } of rows) {
    await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${client.escapeIdentifier(datname)} FROM PUBLIC`);
  }
}
