import { port, proofFields, proofOf, requireProtection, wholeNumber } from '@souk/config';
import { z } from 'zod';
import { managementFields, managementOf } from './management/config.js';

/** What every service reads from its environment. */
export const serviceFields = {
  GRPC_HOST: z.string().default('127.0.0.1'),
  GRPC_PORT: port(),
  ...managementFields,
  /** Whether the service tells in NATS where it is, and finds others there whose address is `registry:///<service>`. */
  SOUK_REGISTRY: z.enum(['on', 'off']).optional(),
  ...proofFields,
};

type ListeningConfig = z.infer<z.ZodObject<typeof serviceFields>> & {
  readonly NATS_URL?: string;
  readonly NATS_PREFIX?: string;
};

/** Where a service listens, how it knows who calls, and how others find it. @throws ConfigError where that would not be safe */
export function listening(config: ListeningConfig) {
  requireProtection(config.GRPC_HOST, config);
  const { GRPC_HOST: host, GRPC_PORT: port } = config;
  const { SOUK_REGISTRY, NATS_URL: url, NATS_PREFIX: prefix = '' } = config;
  return {
    host,
    port,
    management: managementOf(config),
    ...proofOf(config),
    ...(SOUK_REGISTRY === 'on' && url && { registry: { url, prefix } }),
  };
}

/** What every service that keeps data reads besides. */
export const dataFields = {
  DATABASE_URL: z.string(),
  NATS_URL: z.string(),
  /** Put before every subject and stream, so that several Souks can share one NATS. */
  NATS_PREFIX: z.string().default(''),
  /** How often each check of the service runs; every five minutes where it is not set. */
  SOUK_RECONCILE_EVERY_SECONDS: wholeNumber().min(1, 'it must be at least 1').optional(),
  /** After how many days records of who did what are let go; 0 for never, 400 where it is not set. */
  SOUK_AUDIT_DAYS: wholeNumber()
    .refine((days) => days === 0 || days >= 90, 'it must be 0 (for ever) or at least 90')
    .optional(),
};

export type DataConfig = z.infer<z.ZodObject<typeof dataFields>>;
