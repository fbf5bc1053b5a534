import Stripe from 'stripe';
import { webhookSignatureInvalid } from '../domain/payment-errors.js';
import type { NoticeVerifier } from '../receive-webhook.js';
import type { Notice } from '../webhooks.store.js';
import { ourId, PAYMENT_ID } from './stripe-views.js';

/** Checks the signature and the age of a notice as Stripe's library does: at most five minutes old. */
export class StripeNotices implements NoticeVerifier {
  constructor(private readonly secret: string) {}

  verify(payload: Buffer, signature: string): Notice {
    return toNotice(this.open(payload, signature));
  }

  private open(payload: Buffer, signature: string): Stripe.Event {
    try {
      return Stripe.webhooks.constructEvent(payload, signature, this.secret);
    } catch (error) {
      throw webhookSignatureInvalid(error);
    }
  }
}

const SAYS: Readonly<Record<string, Notice['says']>> = {
  'payment_intent.amount_capturable_updated': 'authorized',
  'payment_intent.succeeded': 'captured',
  'payment_intent.canceled': 'voided',
  'payment_intent.payment_failed': 'declined',
  'charge.refunded': 'refunded',
};

/** Intents, and charges, refunds and disputes, which name theirs. */
interface AboutIntent {
  readonly object?: string;
  readonly id?: string;
  readonly payment_intent?: unknown;
  readonly metadata?: Record<string, string> | null;
  readonly amount_received?: number;
  readonly amount_refunded?: number;
}

function toNotice({ id: eventId, type, data }: Stripe.Event): Notice {
  const about = data.object as AboutIntent;
  const intent = about.object === 'payment_intent' ? about.id : about.payment_intent;
  const says = SAYS[type] ?? null;
  return {
    eventId,
    type,
    reference: typeof intent === 'string' ? intent : '',
    paymentId: ourId(about, PAYMENT_ID),
    says,
    amount: says && BigInt((says === 'refunded' ? about.amount_refunded : about.amount_received) ?? 0),
  };
}
