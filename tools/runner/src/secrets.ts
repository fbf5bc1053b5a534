/**
 * Passwords and keys of this local Souk. Made up at the first start, kept in a file that only its owner can read, and never
 * changed: databases and sealed keys depend on them.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { StartupError } from '@souk/infra';
import { GRPC_SERVICES, type GrpcService } from './layout.ts';

export interface Secrets {
  readonly postgresPassword: string;
  readonly databasePasswords: Readonly<Record<GrpcService, string>>;
  readonly serviceToken: string;
  readonly keyEncryptionKey: string;
  readonly orderTokenSecret: string;
  readonly managementToken: string;
  readonly rateLimitSecret: string;
  readonly stripeApiKey: string;
  readonly stripeWebhookSecret: string;
  /** Of the first administrator, unless SOUK_ADMIN_PASSWORD was given. */
  readonly adminPassword: string;
}

/** Reads the secrets, making the file, or what an older one lacks, where needed. */
export function loadSecrets(path: string): Secrets {
  const kept = existsSync(path) ? parse(path) : {};
  const secrets = { ...makeSecrets(), ...kept };
  if (Object.keys(kept).length < Object.keys(secrets).length) save(path, secrets);
  return secrets;
}

function parse(path: string): Partial<Secrets> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Partial<Secrets>;
  } catch (error) {
    throw new StartupError(
      `${path} cannot be read (${(error as Error).message}): put it back, or start over with --fresh.`,
    );
  }
}

function save(path: string, secrets: Secrets): void {
  const unfinished = `${path}.unfinished`;
  writeFileSync(unfinished, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, path);
}

function makeSecrets(): Secrets {
  return {
    postgresPassword: random(),
    databasePasswords: Object.fromEntries(
      GRPC_SERVICES.map((service) => [service, random()]),
    ) as Secrets['databasePasswords'],
    serviceToken: random(),
    keyEncryptionKey: randomBytes(32).toString('base64'),
    orderTokenSecret: random(),
    managementToken: random(),
    rateLimitSecret: random(),
    stripeApiKey: `sk_test_${randomBytes(24).toString('hex')}`,
    stripeWebhookSecret: `whsec_${randomBytes(24).toString('hex')}`,
    adminPassword: randomBytes(12).toString('base64url'),
  };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
