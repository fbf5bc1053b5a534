/** What a payment and the provider hold, in the same terms, so that they can be compared. */
import { equalMoney } from '@souk/money';
import type { ProviderView } from './follow-provider.js';
import type { Payment } from './payment.js';

/** Minor units; refunds that are under way do not count. */
export interface Holdings {
  /** Whether money is set aside that can still be taken. */
  readonly aside: boolean;
  readonly captured: bigint;
  readonly refunded: bigint;
}

export function holdingsOf({ state, capturedAmount, refundedAmount }: Payment): Holdings {
  return { aside: state === 'AUTHORIZED', captured: capturedAmount, refunded: refundedAmount };
}

export function holdingsAt({ outcome, capturedAmount, refunds }: ProviderView): Holdings {
  const refunded = refunds.reduce((sum, { state, amount }) => (state === 'SUCCEEDED' ? sum + amount : sum), 0n);
  return { aside: outcome === 'authorized', captured: capturedAmount, refunded };
}

export function equalHoldings(a: Holdings, b: Holdings): boolean {
  return a.aside === b.aside && a.captured === b.captured && a.refunded === b.refunded;
}

/** Whether there is money of the customer's. */
export function isEmpty({ aside, captured, refunded }: Holdings): boolean {
  return !aside && captured === refunded;
}

/** @returns what differs, in a sentence; undefined where nothing does */
export function differenceOf(payment: Payment, view: ProviderView): string | undefined {
  if (view.amount && !equalMoney(view.amount, payment.amount)) {
    return `The provider has it over ${view.amount.amount} ${view.amount.currency}, here it is over ${payment.amount.amount} ${payment.amount.currency}.`;
  }
  const [here, there] = [holdingsOf(payment), holdingsAt(view)];
  if (!equalHoldings(here, there)) return `Here ${told(here)}; at the provider ${told(there)}.`;
  const { disputedAmount = payment.disputedAmount } = view;
  if (disputedAmount === payment.disputedAmount) return undefined;
  return `Here ${payment.disputedAmount} are disputed; at the provider ${disputedAmount}.`;
}

function told({ aside, captured, refunded }: Holdings): string {
  return `${aside ? 'money is set aside' : 'nothing is set aside'}, ${captured} captured, ${refunded} refunded`;
}
