/**
 * The safeguards that can be switched off, to show that each of them carries weight: what is switched off is taken out of
 * the world around the services, never out of their code.
 */
import type { PaymentProvider } from '#payments/payment-provider';
import type { Sabotage } from './postgres/schema.ts';

export const SWITCHES = [
  'claim',
  'inbox',
  'lease-fencing',
  'row-lock',
  'outbox',
  'provider-key',
  'unknown-resolution',
] as const;
export type Switch = (typeof SWITCHES)[number];

/** What a switch takes out of the databases. */
export function sabotageBy(switchedOff: Switch | undefined): Sabotage {
  switch (switchedOff) {
    case 'claim':
      return { constraints: /^(orders_claim|claims_pkey|claim_aliases_pkey)$/ };
    case 'inbox':
      return { constraints: /^inbox_pkey$/ };
    case 'lease-fencing':
      return { frozen: /^(saga_)?epoch$/ };
    case 'row-lock':
      return { unlocked: /^stock$/, constraints: /^stock_/ };
    default:
      return {};
  }
}

/** A provider's adapter that takes silence for a refusal. */
export function guessing(provider: PaymentProvider): PaymentProvider {
  return new Proxy(provider, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as unknown;
      if (name !== 'authorize' || typeof method !== 'function') return method;
      return async (...args: Parameters<PaymentProvider['authorize']>) => {
        const answer = await target.authorize(...args);
        if (answer.outcome !== 'unknown') return answer;
        return { outcome: 'declined', reference: '', capturedAmount: 0n, refunds: [], code: 'no_answer' };
      };
    },
  });
}
