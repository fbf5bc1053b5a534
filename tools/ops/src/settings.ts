// Where the services are and what lets operators in: the variables that the services themselves read, else what the local runner
// wrote down.
import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig, proofFields, proofOf, type Proof } from '@souk/config';
import { dataFolder, GRPC_SERVICES, layout, localProof, type GrpcService } from '@souk/runner';
import { CommandError } from './exit-codes.ts';

export interface Settings {
  /** `host:port` of each service. */
  readonly addresses: Readonly<Record<GrpcService, string>>;
  /** Proves to the services that an operator calls. */
  readonly proof: Proof;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const files = layout(dataFolder(env));
  const ports = readJson<{ ports?: Record<string, number> }>(files.ports)?.ports ?? {};
  const addresses = GRPC_SERVICES.map((service) => [service, addressOf(service, env, ports[service])] as const);
  // What the runner made is only ever shown to this machine.
  const isLocal = addresses.every(([service]) => !env[variableOf(service)]);
  const proof = givenProof(env) ?? (isLocal ? localProof(dataFolder(env)) : undefined);
  if (!proof) {
    throw new CommandError(
      'Set SOUK_SERVICE_TOKEN to the secret that the services share, or SOUK_TLS=on and the files of a certificate.',
    );
  }
  return { addresses: Object.fromEntries(addresses) as Record<GrpcService, string>, proof };
}

function givenProof(env: NodeJS.ProcessEnv): Proof | undefined {
  if (!env['SOUK_SERVICE_TOKEN'] && !env['SOUK_TLS_CERT_FILE']) return undefined;
  try {
    return proofOf(loadConfig(proofFields, env));
  } catch (error) {
    throw error instanceof ConfigError ? new CommandError(error.message) : error;
  }
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
