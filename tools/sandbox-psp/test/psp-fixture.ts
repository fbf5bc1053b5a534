import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { startSandboxPsp, type SandboxPsp, type SandboxPspOptions } from '../src/index.ts';

/** A sandbox with an empty ledger, and Stripe's own library pointed at it. */
export async function psp(options: Partial<SandboxPspOptions> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-psp-'));
  const sandbox = await startSandboxPsp({ dataDir, ...options });
  const close = async () => {
    await sandbox.close();
    rmSync(dataDir, { recursive: true });
  };
  return { sandbox, stripe: stripeAt(sandbox), dataDir, close };
}

export function stripeAt(
  { port }: Pick<SandboxPsp, 'port'>,
  options: { apiKey?: string; timeout?: number } = {},
): Stripe {
  return new Stripe(options.apiKey ?? 'sk_test_sandbox', {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    timeout: options.timeout ?? 5_000,
    telemetry: false,
  });
}

/** What Souk sends to set money aside. */
export function authorization(paymentMethod = 'pm_card_visa', amount = 1999): Stripe.PaymentIntentCreateParams {
  return {
    amount,
    currency: 'usd',
    payment_method: paymentMethod,
    allowed_payment_method_types: ['card'],
    capture_method: 'manual',
    confirm: true,
    metadata: { souk_payment_id: 'p-1', souk_order_id: 'o-1' },
    receipt_email: 'ada@example.com',
  };
}
