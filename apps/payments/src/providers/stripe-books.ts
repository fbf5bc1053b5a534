import type Stripe from 'stripe';
import type { ListedIntent, ProviderBooks } from '../payment-provider.js';
import { ourId, PAYMENT_ID, viewOf } from './stripe-views.js';

const PAGE = 100;

/** All that Stripe keeps for the account, page by page. */
export class StripeBooks implements ProviderBooks {
  constructor(private readonly stripe: Stripe) {}

  async *intentsSince(since: Date): AsyncIterable<ListedIntent[]> {
    const created = { gte: Math.floor(since.getTime() / 1000) };
    const params = { created, limit: PAGE, expand: ['data.latest_charge'] };
    for (let after: string | undefined; ;) {
      const page = await this.stripe.paymentIntents.list({ ...params, ...(after && { starting_after: after }) });
      yield page.data.map(toListed);
      after = page.data.at(-1)?.id;
      if (!page.has_more || !after) return;
    }
  }
}

function toListed(intent: Stripe.PaymentIntent): ListedIntent {
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  return {
    reference: intent.id,
    paymentId: ourId(intent, PAYMENT_ID),
    view: viewOf(intent),
    refundedAmount: BigInt(charge?.amount_refunded ?? 0),
    disputed: charge?.disputed ?? false,
    createTime: new Date(intent.created * 1000),
  };
}
