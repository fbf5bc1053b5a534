// Where the services are and what lets operators in: the variables that the services themselves read, else what the local runner
// wrote down.
import { readFileSync } from 'node:fs';
import { dataFolder, GRPC_SERVICES, layout, type GrpcService } from '@souk/runner';
import { CommandError } from './exit-codes.ts';

export interface Settings {
  /** `host:port` of each service. */
  readonly addresses: Readonly<Record<GrpcService, string>>;
  /** The secret by which Souk's services know each other. */
  readonly serviceToken: string;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const files = layout(dataFolder(env));
  const ports = readJson<{ ports?: Record<string, number> }>(files.ports)?.ports ?? {};
  const addresses = GRPC_SERVICES.map((service) => [service, addressOf(service, env, ports[service])] as const);
  const given = env['SOUK_SERVICE_TOKEN'];
  // The made-up secret is only ever sent to this machine.
  const madeUp = addresses.every(([service]) => !env[variableOf(service)])
    ? readJson<{ serviceToken?: string }>(files.secrets)?.serviceToken
    : undefined;
  const serviceToken = given || madeUp;
  if (!serviceToken) throw new CommandError('Set SOUK_SERVICE_TOKEN to the secret that the services share.');
  return { addresses: Object.fromEntries(addresses) as Record<GrpcService, string>, serviceToken };
}

function addressOf(service: GrpcService, env: NodeJS.ProcessEnv, port: number | undefined): string {
  const address = env[variableOf(service)] || (port && `127.0.0.1:${port}`);
  if (address) return address;
  throw new CommandError(
    `Nobody knows where ${service} is: start Souk by \`npm start\`, or set ${variableOf(service)} to its host:port.`,
  );
}

function variableOf(service: GrpcService): string {
  return `SOUK_${service.toUpperCase()}_ADDRESS`;
}

/** What a JSON file says; undefined where there is none that can be read. */
function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
