import { address, loadConfig, secret, wholeNumber } from '@souk/config';
import { dataFields, serviceFields } from '@souk/service';
import { z } from 'zod';
import type { CardLimits } from './domain/card-limits.js';

/** What the service reads from its environment. */
export function paymentsConfig(env: NodeJS.ProcessEnv = process.env) {
  return loadConfig(
    {
      ...serviceFields,
      ...dataFields,
      SOUK_IDENTITY_ADDRESS: address(),
      STRIPE_API_KEY: secret(8),
      /** Another address than Stripe's own, for the sandbox. */
      STRIPE_API_BASE: z.url('it must be a URL').default('https://api.stripe.com'),
      /** After how long a call counts as not answered; shorter than a lease. */
      STRIPE_TIMEOUT_MS: wholeNumber().max(9_000).default(8_000),
      STRIPE_WEBHOOK_SECRET: secret(8),
      /** Whether the account may capture a payment in parts. Stripe refuses every payment of one that may not and asks for it. */
      STRIPE_MULTICAPTURE: z.enum(['off', 'on']).default('off'),
      /** When money that is set aside is taken: when the order is confirmed, or when it is handed to the carrier. */
      SOUK_CAPTURE: z.enum(['confirm', 'fulfilment']).default('confirm'),
      /** After how long an authorised card payment that nobody captured is let go; Stripe's authorisations last 7 days. */
      SOUK_CAPTURE_WITHIN_HOURS: wholeNumber().min(1).max(720).default(144),
      /** How many cards may be declined within the window before no more are tried; 0 for any number. */
      SOUK_CARD_DECLINES_PER_ADDRESS: wholeNumber().default(20),
      SOUK_CARD_DECLINES_PER_CARD: wholeNumber().default(5),
      SOUK_CARD_DECLINES_PER_ACCOUNT: wholeNumber().default(10),
      SOUK_CARD_DECLINES_WINDOW_MINUTES: wholeNumber().min(1).max(1_440).default(60),
    },
    env,
  );
}

export type PaymentsConfig = ReturnType<typeof paymentsConfig>;

export function cardLimits(config: PaymentsConfig): CardLimits {
  return {
    perAddress: config.SOUK_CARD_DECLINES_PER_ADDRESS,
    perCard: config.SOUK_CARD_DECLINES_PER_CARD,
    perAccount: config.SOUK_CARD_DECLINES_PER_ACCOUNT,
    windowMs: config.SOUK_CARD_DECLINES_WINDOW_MINUTES * 60_000,
  };
}
