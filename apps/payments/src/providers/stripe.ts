/**
 * Stripe, by its official library. The library repeats nothing by itself but a request on a connection that was closed,
 * and that with the same key. A 4xx says that nothing happened; everything else that is no plain answer is unknown.
 */
import Stripe from 'stripe';
import type { Logger } from '@souk/telemetry';
import type { ProviderView } from '../domain/payment.js';
import type { Found, PaymentProvider, ProviderAnswer, ProviderCall, Unknown } from '../payment-provider.js';

/** Metadata by which an intent is found when its identifier never reached us. */
export const PAYMENT_ID = 'souk_payment_id';
const WITH_CHARGE = ['latest_charge'];

export interface StripeOptions {
  readonly apiKey: string;
  /** For example `https://api.stripe.com`. */
  readonly apiBase: string;
  /** After how long a call counts as not answered. */
  readonly timeoutMs: number;
}

export function stripeClient({ apiKey, apiBase, timeoutMs }: StripeOptions): Stripe {
  const { protocol, hostname, port } = new URL(apiBase);
  const isPlain = protocol === 'http:';
  return new Stripe(apiKey, {
    host: hostname,
    port: port || (isPlain ? 80 : 443),
    protocol: isPlain ? 'http' : 'https',
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
  });
}

export class StripeProvider implements PaymentProvider {
  constructor(
    private readonly stripe: Stripe,
    private readonly logger: Logger,
  ) {}

  async authorize(call: ProviderCall): Promise<ProviderAnswer> {
    try {
      return viewOf(await this.stripe.paymentIntents.create(paramsOf(call), keyOf(call)));
    } catch (error) {
      return refusal(error) ?? this.unknown(error);
    }
  }

  async capture(call: ProviderCall): Promise<ProviderAnswer> {
    return this.change(call, async () => {
      const params = { amount_to_capture: Number(call.amount.amount), expand: WITH_CHARGE };
      return viewOf(await this.stripe.paymentIntents.capture(call.reference, params, keyOf(call)));
    });
  }

  async void(call: ProviderCall): Promise<ProviderAnswer> {
    return this.change(call, async () =>
      viewOf(await this.stripe.paymentIntents.cancel(call.reference, {}, keyOf(call))),
    );
  }

  /** Gives back all that is left. */
  async refund(call: ProviderCall): Promise<ProviderAnswer> {
    return this.change(call, async () => {
      await this.stripe.refunds.create({ payment_intent: call.reference }, keyOf(call));
      return this.present(call);
    });
  }

  async find({ paymentId, reference }: Pick<ProviderCall, 'paymentId' | 'reference'>): Promise<Found> {
    try {
      if (reference !== '') {
        return viewOf(await this.stripe.paymentIntents.retrieve(reference, { expand: WITH_CHARGE }));
      }
      const query = `metadata['${PAYMENT_ID}']:'${paymentId}'`;
      const { data } = await this.stripe.paymentIntents.search({ query, expand: [`data.${WITH_CHARGE[0]}`] });
      const [intent] = data;
      return intent ? viewOf(intent) : { outcome: 'absent' };
    } catch (error) {
      return this.unknown(error);
    }
  }

  /** A change that is refused was made already, or something else happened before it: the present state tells. */
  private async change(call: ProviderCall, change: () => Promise<ProviderAnswer>): Promise<ProviderAnswer> {
    try {
      return await change();
    } catch (error) {
      return isRefusal(error) ? this.present(call) : this.unknown(error);
    }
  }

  private async present(call: ProviderCall): Promise<ProviderAnswer> {
    const found = await this.find(call);
    return found.outcome === 'absent' ? unknown('The provider does not know the payment.') : found;
  }

  private unknown(error: unknown): Unknown {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { statusCode, code, requestId, message } = error;
    this.logger.warn(
      { statusCode, code, providerRequestId: requestId, type: error.type },
      'the provider gave no answer',
    );
    const replayed = error.headers?.['idempotent-replayed'] === 'true';
    return unknown(`${statusCode ?? 'no answer'}: ${message}`, replayed && (statusCode ?? 0) >= 500);
  }
}

function paramsOf({ paymentId, orderId, amount, token, email }: ProviderCall): Stripe.PaymentIntentCreateParams {
  return {
    amount: Number(amount.amount),
    currency: amount.currency.toLowerCase(),
    payment_method: token,
    allowed_payment_method_types: ['card'],
    capture_method: 'manual',
    confirm: true,
    // Nobody is there to be asked: a card that wants its owner's word is refused.
    error_on_requires_action: true,
    description: `Order ${orderId}`,
    metadata: { [PAYMENT_ID]: paymentId, souk_order_id: orderId },
    ...(email === '' ? {} : { receipt_email: email }),
    expand: WITH_CHARGE,
  };
}

function keyOf({ idempotencyKey }: ProviderCall): Stripe.RequestOptions {
  return { idempotencyKey };
}

/** @returns what an intent's status means, or unknown where Stripe itself is still at it */
function viewOf(intent: Stripe.PaymentIntent): ProviderAnswer {
  const reference = intent.id;
  switch (intent.status) {
    case 'requires_capture':
      return { outcome: 'authorized', reference };
    case 'canceled':
      return { outcome: 'voided', reference };
    case 'succeeded':
      return {
        outcome: 'captured',
        reference,
        capturedAmount: BigInt(intent.amount_received),
        refundedAmount: BigInt(refundedAmountOf(intent)),
      };
    case 'requires_payment_method':
      return { outcome: 'declined', reference, code: declineCodeOf(intent.last_payment_error) };
    case 'requires_action':
      return { outcome: 'declined', reference, code: 'authentication_required' };
    default:
      return unknown(`The intent is ${intent.status}.`);
  }
}

function refundedAmountOf({ latest_charge: charge }: Stripe.PaymentIntent): number {
  return charge && typeof charge === 'object' ? charge.amount_refunded : 0;
}

/** The decline that an error stands for; undefined where it is not known whether anything happened. */
function refusal(error: unknown): ProviderView | undefined {
  if (!isRefusal(error)) return undefined;
  return { outcome: 'declined', reference: error.payment_intent?.id ?? '', code: declineCodeOf(error) };
}

/** The card or the request was refused, and with it the change. Limits, keys in use and the like are no refusals. */
function isRefusal(error: unknown): error is Stripe.errors.StripeError {
  return error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError;
}

function declineCodeOf(error: { decline_code?: string; code?: string } | null): string {
  return error?.decline_code || error?.code || 'declined';
}

function unknown(detail: string, keySpent = false): Unknown {
  return { outcome: 'unknown', detail, keySpent };
}
