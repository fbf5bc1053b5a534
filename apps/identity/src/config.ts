import { ConfigError, loadConfig, port, secret } from '@souk/config';
import { z } from 'zod';
import { emailFault, isGuessable, passwordFault } from './account-rules.js';

export interface FirstAdminAccount {
  readonly email: string;
  readonly password: string;
}

export interface IdentityConfig {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Put before subjects and streams, for tests that share a server. */
  readonly eventPrefix?: string;
  readonly serviceToken: string;
  /** Opens the signing keys in the database: 32 bytes in base64. */
  readonly keyEncryptionKey: string;
  /** Made at the start where there is no administrator yet. */
  readonly firstAdmin?: FirstAdminAccount;
}

const KEY_BYTES = 32;

const SHAPE = {
  GRPC_HOST: z.string().default('127.0.0.1'),
  GRPC_PORT: port().default(50051),
  DATABASE_URL: z.string(),
  NATS_URL: z.string(),
  SOUK_SERVICE_TOKEN: secret(),
  SOUK_KEY_ENCRYPTION_KEY: z.string().refine(isKey, `it must be ${KEY_BYTES} bytes in base64`),
  SOUK_ADMIN_EMAIL: z.string().trim().optional(),
  SOUK_ADMIN_PASSWORD: z.string().optional(),
};

/** @throws ConfigError with a sentence per wrong variable */
export function loadIdentityConfig(env: NodeJS.ProcessEnv = process.env): IdentityConfig {
  const variables = loadConfig(SHAPE, env);
  return {
    host: variables.GRPC_HOST,
    port: variables.GRPC_PORT,
    databaseUrl: variables.DATABASE_URL,
    natsUrl: variables.NATS_URL,
    serviceToken: variables.SOUK_SERVICE_TOKEN,
    keyEncryptionKey: variables.SOUK_KEY_ENCRYPTION_KEY,
    firstAdmin: firstAdmin(variables.SOUK_ADMIN_EMAIL, variables.SOUK_ADMIN_PASSWORD),
  };
}

function firstAdmin(email: string | undefined, password: string | undefined): FirstAdminAccount | undefined {
  if (!email && !password) return undefined;
  if (!email || !password)
    throw new ConfigError(['SOUK_ADMIN_EMAIL and SOUK_ADMIN_PASSWORD are set together or not at all.']);
  const wrong = [
    fault('SOUK_ADMIN_EMAIL', emailFault(email)),
    fault('SOUK_ADMIN_PASSWORD', passwordFault(password)),
    isGuessable({ email, password })
      ? ['SOUK_ADMIN_PASSWORD is wrong: it is among the first that anybody would try.']
      : [],
  ].flat();
  if (wrong.length > 0) throw new ConfigError(wrong);
  return { email, password };
}

function fault(variable: string, description: string | undefined): string[] {
  return description ? [`${variable} is wrong: ${description}`] : [];
}

function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === KEY_BYTES;
}
