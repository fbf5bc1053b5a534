import { address, loadConfig, port, secret } from '@souk/config';
import { z } from 'zod';

export interface NotificationsConfig {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Put before subjects and streams, for tests that share a server. */
  readonly eventPrefix?: string;
  readonly serviceToken: string;
  readonly identityAddress: string;
  /** Mail server; without one mails become files in `mailDir`. */
  readonly smtpUrl?: string;
  readonly mailDir: string;
  /** Sender of all mails, for example `Souk <orders@souk.local>`. */
  readonly mailFrom: string;
}

const SHAPE = {
  GRPC_HOST: z.string().default('127.0.0.1'),
  GRPC_PORT: port().default(50056),
  DATABASE_URL: z.string(),
  NATS_URL: z.string(),
  SOUK_SERVICE_TOKEN: secret(),
  SOUK_IDENTITY_ADDRESS: address().default('127.0.0.1:50051'),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/\S+$/, 'it must be a URL such as smtp://user:password@host:587')
    .optional(),
  MAIL_DIR: z.string().default('.souk/mail'),
  MAIL_FROM: z
    .string()
    .regex(
      /^([^<>@\p{C}]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u,
      'it must be an address such as Souk <orders@souk.local>',
    )
    .default('Souk <orders@souk.local>'),
};

/** @throws ConfigError with a sentence per wrong variable */
export function loadNotificationsConfig(env: NodeJS.ProcessEnv = process.env): NotificationsConfig {
  const variables = loadConfig(SHAPE, env);
  return {
    host: variables.GRPC_HOST,
    port: variables.GRPC_PORT,
    databaseUrl: variables.DATABASE_URL,
    natsUrl: variables.NATS_URL,
    serviceToken: variables.SOUK_SERVICE_TOKEN,
    identityAddress: variables.SOUK_IDENTITY_ADDRESS,
    smtpUrl: variables.SMTP_URL,
    mailDir: variables.MAIL_DIR,
    mailFrom: variables.MAIL_FROM,
  };
}
