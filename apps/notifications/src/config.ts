import { address, loadConfig } from '@souk/config';
import { dataFields, serviceFields } from '@souk/service';
import { z } from 'zod';

/** What the service reads from its environment. */
export function notificationsConfig(env: NodeJS.ProcessEnv = process.env) {
  return loadConfig(
    {
      ...serviceFields,
      ...dataFields,
      SOUK_IDENTITY_ADDRESS: address(),
      /** Mail server; without one mails become files in `MAIL_DIR`. */
      SMTP_URL: z
        .string()
        .regex(/^smtps?:\/\/\S+$/, 'it must be a URL such as smtp://user:password@host:587')
        .optional(),
      MAIL_DIR: z.string().default('.souk/mail'),
      /** Sender of all mails. */
      MAIL_FROM: z
        .string()
        .regex(
          /^([^<>@\p{C}]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u,
          'it must be an address such as Souk <orders@souk.local>',
        )
        .default('Souk <orders@souk.local>'),
    },
    env,
  );
}

export type NotificationsConfig = ReturnType<typeof notificationsConfig>;
