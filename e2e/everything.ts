/** All that a Souk keeps of anything, as text: every row of every database, every message of every stream, mails and logs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectEvents } from '@souk/events';
import { serviceDatabaseUrl } from '@souk/infra';
import { Database, sql } from '@souk/postgres';
import { GRPC_SERVICES, type GrpcService } from '@souk/runner';
import type { LaunchedSouk } from '@souk/runner/launch';
import { createLogger } from '@souk/telemetry';

const TABLES = sql(
  'e2e.tables',
  `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
);

/** By where it was found. */
export type Texts = Record<string, string>;

export async function everything(souk: LaunchedSouk): Promise<Texts> {
  const texts: Texts = {};
  for (const service of GRPC_SERVICES) Object.assign(texts, await rowsOf(souk, service));
  return { ...texts, ...(await messagesOf(souk)), ...filesIn(souk, 'mail'), ...filesIn(souk, 'logs') };
}

/** Connected as the service is. */
export function databaseOf({ ports, secrets }: LaunchedSouk, service: GrpcService): Database {
  const login = { service, password: secrets.databasePasswords[service] };
  return Database.connect({
    url: serviceDatabaseUrl(`postgres://127.0.0.1:${ports.postgres}/`, login),
    name: 'e2e',
    poolSize: 1,
  });
}

async function rowsOf(souk: LaunchedSouk, service: GrpcService): Promise<Texts> {
  const database = databaseOf(souk, service);
  const texts: Texts = {};
  try {
    for (const { name } of await database.query<{ name: string }>(TABLES)) {
      const statement = sql(`e2e.all-${name}`, `SELECT t::text AS text FROM ${name} AS t`);
      const rows = await database.query<{ text: string }>(statement);
      texts[`${service}.${name}`] = rows.map(({ text }) => text).join('\n');
    }
  } finally {
    await database.close();
  }
  return texts;
}

async function messagesOf({ ports }: LaunchedSouk): Promise<Texts> {
  const bus = await connectEvents({ url: `nats://127.0.0.1:${ports.nats}`, name: 'e2e', logger: createLogger('e2e') });
  const texts: Texts = {};
  try {
    for await (const { config, state } of bus.jsm.streams.list()) {
      const found: string[] = [];
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const message = await bus.jsm.streams.getMessage(config.name, { seq });
        if (message)
          found.push([...message.header].map(([key, value]) => `${key}: ${value.join()}`).join('\n'), message.string());
      }
      texts[`stream ${config.name}`] = found.join('\n');
    }
  } finally {
    await bus.close();
  }
  return texts;
}

function filesIn({ dataDir }: LaunchedSouk, name: string): Texts {
  const folder = join(dataDir, name);
  if (!existsSync(folder)) return {};
  const read = (file: string) => readFileSync(join(folder, file), 'utf8').replace(/=\r?\n/g, '');
  return Object.fromEntries(readdirSync(folder).map((file) => [`${name}/${file}`, `${file}\n${read(file)}`]));
}
