/**
 * The environment of each service: what it needs and nothing that belongs to another. A service gets its own database only, and
 * a secret goes to its one owner. Settings of the caller's environment are passed on to the service that they are for.
 */
import { join } from 'node:path';
import { serviceDatabaseUrl } from '@souk/infra';
import { isTlsOn, tlsFiles } from './certificates.ts';
import { COMPILE_CACHE, GRPC_SERVICES, layout, type GrpcService, type ServiceName } from './layout.ts';
import type { PortPlan } from './port-plan.ts';
import type { Secrets } from './secrets.ts';

export interface EnvironmentPlan {
  readonly ports: PortPlan;
  readonly secrets: Secrets;
  readonly dataDir: string;
  /** The caller's own environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Services that are found by the registry, as they have several instances. */
  readonly registered?: readonly GrpcService[];
}

export type Environment = Readonly<Record<string, string>>;

export const DEFAULT_ADMIN_EMAIL = 'admin@souk.local';

/** Which service a variable of the caller is for: the first prefix that fits. No owner: for all of them. */
const OWNERS: readonly (readonly [prefix: string, owner: ServiceName | 'runner' | 'all'])[] = [
  ['SOUK_DATA_DIR', 'runner'],
  ['SOUK_SAMPLE', 'runner'],
  ['SOUK_ADMIN_', 'identity'],
  ['SOUK_KEY_', 'identity'],
  ['SOUK_ERASURE_', 'identity'],
  ['SOUK_ORDER_', 'orders'],
  ['SOUK_RATE_LIMIT', 'gateway'],
  ['SOUK_CAPTURE', 'payments'],
  ['SOUK_CARD_', 'payments'],
  ['SOUK_CURRENCY', 'catalog'],
  ['SMTP_', 'notifications'],
  ['MAIL_', 'notifications'],
  ['SOUK_', 'all'],
  ['LOG_LEVEL', 'all'],
  ['OTEL_', 'all'],
  ['MANAGEMENT_TOKEN', 'all'],
];

/** The complete environment of a service. */
export function serviceEnvironment(service: ServiceName, plan: EnvironmentPlan): Environment {
  return {
    PATH: plan.env['PATH'] ?? '',
    NODE_ENV: plan.env['NODE_ENV'] || 'development',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    SOUK_REGISTRY: 'on',
    MANAGEMENT_TOKEN: plan.secrets.managementToken,
    ...passedOn(service, plan.env),
    ...addresses(plan),
    ...proof(service, plan),
    ...(service === 'gateway' ? gateway(plan) : grpcService(service, plan)),
  };
}

function passedOn(service: ServiceName, env: NodeJS.ProcessEnv): Environment {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const owner = OWNERS.find(([prefix]) => name.startsWith(prefix))?.[1];
    if (value && !name.endsWith('_PORT') && (owner === service || owner === 'all')) passed[name] = value;
  }
  return passed;
}

function addresses({ ports, registered = [] }: EnvironmentPlan): Environment {
  const entries = GRPC_SERVICES.map((name) => {
    const address = registered.includes(name) ? `registry:///${name}` : `127.0.0.1:${ports[name]}`;
    return [`SOUK_${name.toUpperCase()}_ADDRESS`, address];
  });
  return Object.fromEntries(entries) as Environment;
}

/** The environment of another instance of a service, on free ports. */
export function replicaEnvironment(service: GrpcService, plan: EnvironmentPlan): Environment {
  return { ...serviceEnvironment(service, plan), GRPC_PORT: '0', MANAGEMENT_PORT: '0' };
}

/** By what a service proves its name: its certificate, or the secret that all of them share. */
function proof(service: ServiceName, { secrets, dataDir, env }: EnvironmentPlan): Environment {
  if (!isTlsOn(env)) return { SOUK_SERVICE_TOKEN: secrets.serviceToken };
  const { caFile, certFile, keyFile } = tlsFiles(dataDir, service);
  return { SOUK_TLS: 'on', SOUK_TLS_CA_FILE: caFile, SOUK_TLS_CERT_FILE: certFile, SOUK_TLS_KEY_FILE: keyFile };
}

function gateway({ ports, secrets, env }: EnvironmentPlan): Environment {
  return {
    HOST: env['SOUK_HOST'] || '127.0.0.1',
    PORT: String(ports.gateway),
    MANAGEMENT_PORT: String(ports['gateway-management']),
    NATS_URL: natsUrl(ports),
    SOUK_RATE_LIMIT_SECRET: env['SOUK_RATE_LIMIT_SECRET'] || secrets.rateLimitSecret,
  };
}

function grpcService(service: GrpcService, plan: EnvironmentPlan): Environment {
  return {
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: String(plan.ports[service]),
    MANAGEMENT_PORT: String(plan.ports[`${service}-management`]),
    DATABASE_URL: databaseUrl(service, plan),
    NATS_URL: natsUrl(plan.ports),
    ...own(service, plan),
  };
}

function natsUrl({ nats }: PortPlan): string {
  return `nats://127.0.0.1:${nats}`;
}

/** Connection of a service's role to its database. */
export function databaseUrl(service: GrpcService, { ports, secrets }: EnvironmentPlan): string {
  const password = secrets.databasePasswords[service];
  return serviceDatabaseUrl(`postgres://127.0.0.1:${ports.postgres}/`, { service, password });
}

function own(service: GrpcService, plan: EnvironmentPlan): Environment {
  const { secrets, env, dataDir } = plan;
  if (service === 'identity') return { SOUK_KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey, ...administrator(plan) };
  if (service === 'orders') return { SOUK_ORDER_TOKEN_SECRET: secrets.orderTokenSecret };
  if (service === 'payments') return provider(plan);
  if (service === 'notifications') {
    return { MAIL_DIR: env['MAIL_DIR'] || join(dataDir, 'mail'), MAIL_FROM: env['MAIL_FROM'] || 'shop@souk.local' };
  }
  return {};
}

/** Whom the first start makes an administrator. */
export function administrator({ env, secrets }: Pick<EnvironmentPlan, 'env' | 'secrets'>) {
  return {
    SOUK_ADMIN_EMAIL: env['SOUK_ADMIN_EMAIL'] || DEFAULT_ADMIN_EMAIL,
    SOUK_ADMIN_PASSWORD: env['SOUK_ADMIN_PASSWORD'] || secrets.adminPassword,
  };
}

/** The sandbox, unless another provider's address is given: a Stripe key in the caller's shell alone charges nobody. */
function provider({ ports, secrets, env }: EnvironmentPlan): Environment {
  const base = env['STRIPE_API_BASE'];
  return {
    STRIPE_API_BASE: base || `http://127.0.0.1:${ports['sandbox-psp']}`,
    STRIPE_API_KEY: (base && env['STRIPE_API_KEY']) || secrets.stripeApiKey,
    STRIPE_WEBHOOK_SECRET: (base && env['STRIPE_WEBHOOK_SECRET']) || secrets.stripeWebhookSecret,
    ...(base ? {} : cardLimits(env)),
  };
}

/** Everybody who buys here shares one address and the sandbox's few cards, which are meant to be declined: off unless asked for. */
function cardLimits(env: NodeJS.ProcessEnv): Environment {
  const names = ['ADDRESS', 'CARD', 'ACCOUNT'].map((subject) => `SOUK_CARD_DECLINES_PER_${subject}`);
  return Object.fromEntries(names.map((name) => [name, env[name] || '0']));
}

/** The environment of the sandbox payment provider. */
export function sandboxEnvironment({ ports, secrets, dataDir, env }: EnvironmentPlan): Environment {
  return {
    PATH: env['PATH'] ?? '',
    SANDBOX_PSP_PORT: String(ports['sandbox-psp']),
    SANDBOX_PSP_DATA_DIR: layout(dataDir).sandboxPsp,
    SANDBOX_PSP_WEBHOOK_URL: `http://127.0.0.1:${ports.gateway}/v1/webhooks/stripe`,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
  };
}

/** The text of an environment file, as Node's `--env-file` reads it. */
export function environmentFile(environment: Environment): string {
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}\n`);
  return lines.join('');
}

/** The format knows three kinds of quotes and no way to escape one. */
function quoted(value: string): string {
  const quote = ["'", '"', '`'].find((candidate) => !value.includes(candidate)) ?? "'";
  return `${quote}${value}${quote}`;
}
