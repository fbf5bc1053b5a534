import { port, secret } from '@souk/config';
import { z } from 'zod';

/** What every process reads for its management port. */
export const managementFields = {
  /** No management where it is not set. */
  MANAGEMENT_PORT: port().optional(),
  /** This machine alone, unless told otherwise. */
  MANAGEMENT_HOST: z.string().optional(),
  /** Opens what is not told to everybody; SOUK_SERVICE_TOKEN does where it is not set. */
  MANAGEMENT_TOKEN: secret().optional(),
};

/** Where management listens, and who may what there. */
export function managementOf(
  config: z.infer<z.ZodObject<typeof managementFields>> & { SOUK_SERVICE_TOKEN?: string | undefined },
) {
  const { MANAGEMENT_HOST: host = '127.0.0.1', MANAGEMENT_PORT: port } = config;
  return port === undefined ? undefined : { host, port, token: config.MANAGEMENT_TOKEN ?? config.SOUK_SERVICE_TOKEN };
}
