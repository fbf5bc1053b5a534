import { address, loadConfig, port, secret } from '@souk/config';
import { z } from 'zod';

/** What the service is told by its environment. */
export function readConfig(env: NodeJS.ProcessEnv = process.env) {
  return loadConfig(
    {
      GRPC_HOST: z.string().default('127.0.0.1'),
      GRPC_PORT: port().default(50053),
      DATABASE_URL: z.string(),
      NATS_URL: z.string(),
      /** Put before subjects and streams, where several shops share one NATS. */
      NATS_PREFIX: z.string().default(''),
      SOUK_SERVICE_TOKEN: secret(),
      SOUK_IDENTITY_ADDRESS: address().default('127.0.0.1:50051'),
    },
    env,
  );
}

export type Config = ReturnType<typeof readConfig>;
