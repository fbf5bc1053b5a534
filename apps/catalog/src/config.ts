import { address, loadConfig, wholeNumber } from '@souk/config';
import { dataFields, serviceFields } from '@souk/service';
import { z } from 'zod';

/** What the service reads from its environment. */
export function catalogConfig(env: NodeJS.ProcessEnv = process.env) {
  return loadConfig(
    {
      ...serviceFields,
      ...dataFields,
      SOUK_IDENTITY_ADDRESS: address(),
      /** The shop's one currency; prices in product files carry none. */
      SOUK_CURRENCY: z
        .string()
        .regex(/^[A-Z]{3}$/, 'it must be three capital letters, for example USD')
        .default('USD'),
      /** Largest product file. */
      SOUK_IMPORT_MAX_BYTES: wholeNumber().default(128 * 1024 * 1024),
    },
    env,
  );
}

export type CatalogConfig = ReturnType<typeof catalogConfig>;
