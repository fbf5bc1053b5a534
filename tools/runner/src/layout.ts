/** Which processes make up a local Souk, and where each of them is found. */
import { join, resolve } from 'node:path';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/** Services with a gRPC server and a database of their own. */
export const GRPC_SERVICES = ['identity', 'catalog', 'inventory', 'orders', 'payments', 'notifications'] as const;
export type GrpcService = (typeof GRPC_SERVICES)[number];
export type ServiceName = GrpcService | 'gateway';
export const SERVICES: readonly ServiceName[] = ['gateway', ...GRPC_SERVICES];

/** Stopped in this order: first who takes requests, last who is only asked by others. */
export const STOP_ORDER: readonly (readonly string[])[] = [
  ['gateway'],
  ['orders'],
  ['notifications', 'payments', 'inventory', 'catalog'],
  ['identity'],
  ['sandbox-psp'],
  ['nats'],
  ['postgres'],
];

/** What V8 has compiled, kept for all data folders: filling it costs more than it saves on one start. */
export const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/souk-compile');

/** Where a local Souk keeps its state, unless SOUK_DATA_DIR says otherwise. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(ROOT, env['SOUK_DATA_DIR'] || '.souk');
}

/** Files and folders below the data folder. */
export function layout(dataDir: string) {
  const inside = (name: string): string => join(dataDir, name);
  return {
    postgres: inside('postgres'),
    nats: inside('nats'),
    sandboxPsp: inside('sandbox-psp'),
    mail: inside('mail'),
    logs: inside('logs'),
    environments: inside('env'),
    tls: inside('tls'),
    secrets: inside('secrets.json'),
    ports: inside('ports.json'),
    run: inside('run.json'),
    firstStart: inside('first-start.json'),
    lock: inside('lock'),
  };
}

export type Layout = ReturnType<typeof layout>;
