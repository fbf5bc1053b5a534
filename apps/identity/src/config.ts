import { address, ConfigError, loadConfig, wholeNumber } from '@souk/config';
import { dataFields, serviceFields } from '@souk/service';
import { z } from 'zod';
import { emailFault, isGuessable, passwordFault } from './accounts/account-rules.js';
import { providerConfig, providerFields } from './federation/provider-config.js';

export interface FirstAdminAccount {
  readonly email: string;
  readonly password: string;
}

const KEY_BYTES = 32;

/** What the service reads from its environment. */
export function identityConfig(env: NodeJS.ProcessEnv = process.env) {
  const { SOUK_ADMIN_EMAIL, SOUK_ADMIN_PASSWORD, ...config } = loadConfig(
    {
      ...serviceFields,
      ...dataFields,
      /** Opens the signing keys in the database. */
      SOUK_KEY_ENCRYPTION_KEY: z.string().refine(isKey, `it must be ${KEY_BYTES} bytes in base64`),
      /** After how many days another key signs. */
      SOUK_KEY_ROTATION_DAYS: wholeNumber().min(1, 'it must be at least 1').default(90),
      SOUK_NOTIFICATIONS_ADDRESS: address(),
      /** What is asked besides when a person is erased. */
      SOUK_ORDERS_ADDRESS: address(),
      SOUK_PAYMENTS_ADDRESS: address(),
      /** How long an erasure waits for what was about: longer than access tokens and events in the hands of consumers last. */
      SOUK_ERASURE_SETTLE_SECONDS: wholeNumber()
        .min(1, 'it must be at least 1')
        .default(20 * 60),
      /** Where the links in mails lead: the shop's front end. */
      SOUK_SHOP_URL: z
        .string()
        .regex(/^https?:\/\/[^\s/#?]+(\/[^\s#?]*)?$/, 'it must be an address such as https://shop.example')
        .transform((url) => url.replace(/\/+$/, ''))
        .default('http://127.0.0.1:3000'),
      /** Whether whoever is more than a customer must have a second factor. */
      SOUK_STAFF_SECOND_FACTOR: z.enum(['optional', 'required']).default('optional'),
      /** Whether they may log in by password, where there is an identity provider. */
      SOUK_STAFF_PASSWORD_LOGIN: z.enum(['allowed', 'refused']).default('allowed'),
      ...providerFields,
      /** Made an administrator at the start where there is none yet. */
      SOUK_ADMIN_EMAIL: z.string().trim().optional(),
      SOUK_ADMIN_PASSWORD: z.string().optional(),
    },
    env,
  );
  const provider = providerConfig(config);
  if (config.SOUK_STAFF_PASSWORD_LOGIN === 'refused' && !provider) {
    throw new ConfigError(['SOUK_STAFF_PASSWORD_LOGIN is refused, but no SOUK_OIDC_* names a provider to log in by.']);
  }
  return { ...config, provider, firstAdmin: firstAdmin(SOUK_ADMIN_EMAIL, SOUK_ADMIN_PASSWORD) };
}

export type IdentityConfig = Omit<ReturnType<typeof identityConfig>, keyof typeof providerFields>;

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
