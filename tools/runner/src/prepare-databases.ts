/** Every service's database, made where it is missing and brought up to date. May be run again at any time. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDatabases } from '@souk/infra';
import { migrate } from '@souk/postgres';
import { databaseUrl, type EnvironmentPlan } from './environment.ts';
import { GRPC_SERVICES, ROOT, type GrpcService } from './layout.ts';

export async function prepareDatabases(plan: EnvironmentPlan): Promise<void> {
  const { ports, secrets } = plan;
  const adminUrl = `postgres://postgres:${secrets.postgresPassword}@127.0.0.1:${ports.postgres}/postgres`;
  const databases = GRPC_SERVICES.map((service) => ({ service, password: secrets.databasePasswords[service] }));
  await ensureDatabases(adminUrl, databases);
  await Promise.all(GRPC_SERVICES.map((service) => migrateDatabase(service, plan)));
}

async function migrateDatabase(service: GrpcService, plan: EnvironmentPlan): Promise<void> {
  const dir = join(ROOT, 'apps', service, 'migrations');
  if (existsSync(dir)) await migrate({ url: databaseUrl(service, plan), dir });
}
