import { address, loadConfig, port, secret } from '@souk/config';
import { z } from 'zod';

/** What the service reads from its environment. */
export function paymentsConfig(env: NodeJS.ProcessEnv = process.env) {
  return loadConfig(
    {
      GRPC_HOST: z.string().default('127.0.0.1'),
      GRPC_PORT: port().default(50055),
      DATABASE_URL: z.string(),
      NATS_URL: z.string(),
      /** Put before subjects and streams, where several shops share one NATS. */
      NATS_PREFIX: z.string().default(''),
      SOUK_SERVICE_TOKEN: secret(),
      SOUK_IDENTITY_ADDRESS: address(),
      STRIPE_API_KEY: secret(8),
      /** Another address than Stripe's own, for the sandbox. */
      STRIPE_API_BASE: z.url('it must be a URL').default('https://api.stripe.com'),
      STRIPE_WEBHOOK_SECRET: secret(8),
      /** When money that is set aside is taken: when the order is confirmed, or when it is handed to the carrier. */
      SOUK_CAPTURE: z.enum(['confirm', 'fulfilment']).default('confirm'),
    },
    env,
  );
}

export type PaymentsConfig = ReturnType<typeof paymentsConfig>;
