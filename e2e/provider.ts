/** The payment provider's own books: what "never charged twice" is held against. */
import type { LaunchedSouk } from '@souk/runner/launch';

interface PaymentIntent {
  readonly id: string;
  readonly status: string;
  readonly amount_received: number;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Charge {
  readonly payment_intent: string;
  readonly status: string;
}

interface Refund {
  readonly payment_intent: string;
  readonly amount: number;
  readonly status: string;
}

interface Ledger {
  readonly payment_intents: readonly PaymentIntent[];
  readonly charges: readonly Charge[];
  readonly refunds: readonly Refund[];
}

/** What the provider knows of an order, or of several. */
export interface ProviderBooks {
  /** How often the card was charged, or money set aside on it. */
  readonly charges: number;
  /** Minor units that were taken. */
  readonly taken: number;
  /** Minor units that went back. */
  readonly givenBack: number;
  /** Whether money is still set aside. */
  readonly setAside: boolean;
}

/** @param orders one order, or several whose money is added up */
export async function providerBooks(
  souk: Pick<LaunchedSouk, 'ports'>,
  orders: string | ReadonlySet<string>,
): Promise<ProviderBooks> {
  const response = await fetch(`http://127.0.0.1:${souk.ports['sandbox-psp']}/_sandbox/ledger`);
  const ledger = (await response.json()) as Ledger;
  const chosen = typeof orders === 'string' ? new Set([orders]) : orders;
  const intents = ledger.payment_intents.filter(({ metadata }) => chosen.has(metadata['souk_order_id'] ?? ''));
  const ofOrder = ({ payment_intent }: Charge | Refund) => intents.some(({ id }) => id === payment_intent);
  const refunds = ledger.refunds.filter((refund) => ofOrder(refund) && refund.status === 'succeeded');
  return {
    charges: ledger.charges.filter((charge) => ofOrder(charge) && charge.status === 'succeeded').length,
    taken: sum(intents.map(({ amount_received }) => amount_received)),
    givenBack: sum(refunds.map(({ amount }) => amount)),
    setAside: intents.some(({ status }) => status === 'requires_capture'),
  };
}

/** Does something with the provider's API that Souk does not do. */
export async function postToProvider(
  souk: Pick<LaunchedSouk, 'ports' | 'secrets'>,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<{ id: string }> {
  const response = await fetch(`http://127.0.0.1:${souk.ports['sandbox-psp']}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${souk.secrets.stripeApiKey}` },
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { id: string };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
