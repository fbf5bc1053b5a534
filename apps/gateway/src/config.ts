import { address, loadConfig, port, proofFields, proofOf, secret, wholeNumber, type Proof } from '@souk/config';
import { managementFields, managementOf, type ManagementOptions } from '@souk/service/management';
import { z } from 'zod';

/** Services that the gateway calls. */
export const SERVICES = ['identity', 'catalog', 'inventory', 'orders', 'payments'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Services that keep who did what. */
export const AUDITED = [...SERVICES, 'notifications'] as const;
export type AuditedService = (typeof AUDITED)[number];

/** What the gateway needs to know to start. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** Where it answers what is asked of the process itself; nowhere where it is left out. */
  readonly management?: Pick<ManagementOptions, 'host' | 'port' | 'token'> | undefined;
  /** Proves to the services that the gateway calls. */
  readonly proof: Proof;
  readonly addresses: Readonly<Record<AuditedService, string>>;
  /** Where what replicas share is told; a gateway without it serves alone. */
  readonly natsUrl: string;
  /** Put before every subject, so that several Souks can share one NATS. */
  readonly natsPrefix: string;
  /** Under what replicas share their counts; where there is none, each counts alone. */
  readonly rateLimitSecret: string | undefined;
  /** Whether the gateway tells in NATS where it is, and finds services there whose address is `registry:///<service>`. */
  readonly registersItself: boolean;
  /** Requests per minute and client address. */
  readonly rateLimit: number;
  /** Of these, requests to `/v1/auth` and `/v1/oauth`, where passwords and secrets are guessed. */
  readonly authRateLimit: number;
  /** Requests per minute of one account, from all addresses. */
  readonly accountRateLimit: number;
  /** Requests per minute of one machine client, unless it has a limit of its own. */
  readonly clientRateLimit: number;
  readonly clientRateLimits: ReadonlyMap<string, number>;
  /** Most connections that are open at a time, in all and from one address that is no trusted proxy. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Longest that the headers of a request may take to arrive, from when the connection is there. */
  readonly headersTimeoutMs: number;
  /** Longest that a client may take nothing of what waits for it. */
  readonly answerTimeoutMs: number;
  /** How long a connection stays open between requests. */
  readonly keepAliveMs: number;
  /** Longest that a body may take to arrive; product files take their time. */
  readonly bodyTimeoutMs: number;
  /** Largest product file, in bytes. */
  readonly importMaxBytes: number;
  /** Most event streams that are open at a time. */
  readonly maxEventStreams: number;
  /** Addresses of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: string[];
  /** Web origins whose scripts may call the API. */
  readonly corsOrigins: string[];
  /** How long the gateway goes on serving after it said that it is not ready any more. */
  readonly drainMs: number;
}

const CLIENT_LIMIT = /^[\w-]+=[1-9]\d*$/;

const SHAPE = {
  HOST: z.string().default('127.0.0.1'),
  PORT: port().default(3000),
  ...managementFields,
  ...proofFields,
  SOUK_IDENTITY_ADDRESS: address().default('127.0.0.1:50051'),
  SOUK_CATALOG_ADDRESS: address().default('127.0.0.1:50052'),
  SOUK_INVENTORY_ADDRESS: address().default('127.0.0.1:50053'),
  SOUK_ORDERS_ADDRESS: address().default('127.0.0.1:50054'),
  SOUK_PAYMENTS_ADDRESS: address().default('127.0.0.1:50055'),
  SOUK_NOTIFICATIONS_ADDRESS: address().default('127.0.0.1:50056'),
  NATS_URL: z.string().default(''),
  NATS_PREFIX: z.string().default(''),
  SOUK_REGISTRY: z.enum(['on', 'off']).default('off'),
  SOUK_RATE_LIMIT_SECRET: secret().optional(),
  SOUK_RATE_LIMIT: limit().default(200_000),
  SOUK_AUTH_RATE_LIMIT: limit().default(600),
  SOUK_ACCOUNT_RATE_LIMIT: limit().default(12_000),
  SOUK_CLIENT_RATE_LIMIT: limit().default(60_000),
  SOUK_CLIENT_RATE_LIMITS: z
    .string()
    .refine(
      (text) => listed(text).every((item) => CLIENT_LIMIT.test(item)),
      'it must list limits such as <client id>=600',
    )
    .default(''),
  SOUK_MAX_CONNECTIONS: limit().default(10_000),
  SOUK_MAX_CONNECTIONS_PER_ADDRESS: limit().default(1_000),
  SOUK_HEADERS_TIMEOUT_MS: limit().default(10_000),
  SOUK_ANSWER_TIMEOUT_MS: limit().default(60_000),
  SOUK_KEEP_ALIVE_MS: limit().default(72_000),
  SOUK_BODY_TIMEOUT_MS: wholeNumber().default(20_000),
  SOUK_IMPORT_MAX_BYTES: wholeNumber().default(128 * 1024 * 1024),
  SOUK_MAX_EVENT_STREAMS: wholeNumber().default(1_000),
  SOUK_TRUSTED_PROXIES: z.string().default(''),
  SOUK_CORS_ORIGINS: z
    .string()
    .refine((text) => listed(text).every(isOrigin), 'it must list origins such as https://shop.example')
    .default(''),
  SOUK_DRAIN_MS: wholeNumber().default(0),
};

/** @throws ConfigError that names every wrong variable */
export function gatewayConfig(env: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const given = loadConfig(SHAPE, env);
  return {
    host: given.HOST,
    port: given.PORT,
    management: managementOf(given),
    proof: proofOf(given),
    addresses: {
      identity: given.SOUK_IDENTITY_ADDRESS,
      catalog: given.SOUK_CATALOG_ADDRESS,
      inventory: given.SOUK_INVENTORY_ADDRESS,
      orders: given.SOUK_ORDERS_ADDRESS,
      payments: given.SOUK_PAYMENTS_ADDRESS,
      notifications: given.SOUK_NOTIFICATIONS_ADDRESS,
    },
    natsUrl: given.NATS_URL,
    natsPrefix: given.NATS_PREFIX,
    registersItself: given.SOUK_REGISTRY === 'on',
    rateLimitSecret: given.SOUK_RATE_LIMIT_SECRET ?? given.SOUK_SERVICE_TOKEN,
    rateLimit: given.SOUK_RATE_LIMIT,
    authRateLimit: given.SOUK_AUTH_RATE_LIMIT,
    accountRateLimit: given.SOUK_ACCOUNT_RATE_LIMIT,
    clientRateLimit: given.SOUK_CLIENT_RATE_LIMIT,
    clientRateLimits: new Map(listed(given.SOUK_CLIENT_RATE_LIMITS).map(clientLimit)),
    maxConnections: given.SOUK_MAX_CONNECTIONS,
    maxConnectionsPerAddress: given.SOUK_MAX_CONNECTIONS_PER_ADDRESS,
    headersTimeoutMs: given.SOUK_HEADERS_TIMEOUT_MS,
    answerTimeoutMs: given.SOUK_ANSWER_TIMEOUT_MS,
    keepAliveMs: given.SOUK_KEEP_ALIVE_MS,
    bodyTimeoutMs: given.SOUK_BODY_TIMEOUT_MS,
    importMaxBytes: given.SOUK_IMPORT_MAX_BYTES,
    maxEventStreams: given.SOUK_MAX_EVENT_STREAMS,
    trustedProxies: listed(given.SOUK_TRUSTED_PROXIES),
    corsOrigins: listed(given.SOUK_CORS_ORIGINS),
    drainMs: given.SOUK_DRAIN_MS,
  };
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function limit() {
  return wholeNumber().min(1, 'it must be at least 1');
}

function clientLimit(text: string): [clientId: string, limit: number] {
  const [clientId = '', quota] = text.split('=');
  return [clientId, Number(quota)];
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
