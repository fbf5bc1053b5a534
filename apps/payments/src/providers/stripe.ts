/**
 * Stripe, by its official library. The library repeats nothing by itself but a request on a connection that was closed,
 * and that with the same key. A 4xx says that nothing happened; everything else that is no plain answer is unknown.
 */
import Stripe from 'stripe';
import type { Logger } from '@souk/telemetry';
import type { ProviderView } from '../domain/follow-provider.js';
import type { Capture, Payment, Refund } from '../domain/payment.js';
import { isUnderWay } from '../domain/wishes.js';
import type { Found, PaymentProvider, ProviderAnswer, ProviderCall, Unknown } from '../payment-provider.js';
import { tracedHttpClient } from './traced-http-client.js';
import {
  codeOf,
  isLetGo,
  ORDER_ID,
  PAYMENT_ID,
  REFUND_ID,
  refundOf,
  viewOf,
  withdrawnBy,
  type Beside,
} from './stripe-views.js';

const WITH_CHARGE = ['latest_charge'];
const WITH_CHARGES = ['data.latest_charge'];

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
    httpClient: tracedHttpClient(hostname),
  });
}

export class StripeProvider implements PaymentProvider {
  /** @param multicapture whether the account may capture a payment in parts */
  constructor(
    private readonly stripe: Stripe,
    private readonly multicapture: boolean,
    private readonly logger: Logger,
  ) {}

  async authorize(call: ProviderCall): Promise<ProviderAnswer> {
    try {
      return answerOf(await this.stripe.paymentIntents.create(this.paramsOf(call), keyOf(call)));
    } catch (error) {
      return declined(error) ?? this.unknown(error);
    }
  }

  capture(call: ProviderCall, { amount, final }: Capture): Promise<ProviderAnswer> {
    return this.change(call, () => this.take(call, amount, final));
  }

  void(call: ProviderCall): Promise<ProviderAnswer> {
    const { providerReference } = call.payment;
    return this.change(call, async () =>
      answerOf(await this.stripe.paymentIntents.cancel(providerReference, {}, keyOf(call))),
    );
  }

  release(call: ProviderCall): Promise<ProviderAnswer> {
    return this.change(call, () => this.take(call, 0n, true));
  }

  refund(call: ProviderCall, refund: Refund): Promise<ProviderAnswer> {
    return this.change(call, async () => {
      // One that Stripe has taken on is only asked about.
      if (refund.reference === '') await this.stripe.refunds.create(refundParams(call, refund), keyOf(call));
      return this.present(call.payment);
    });
  }

  async sendBack(reference: string, how: 'void' | 'refund', idempotencyKey: string): Promise<'done' | Unknown> {
    try {
      if (how === 'void') await this.stripe.paymentIntents.cancel(reference, {}, { idempotencyKey });
      else await this.stripe.refunds.create({ payment_intent: reference }, { idempotencyKey });
      return 'done';
    } catch (error) {
      // It was sent back before, or is what a bank has taken.
      return isRefusal(error) ? 'done' : this.unknown(error);
    }
  }

  async find(payment: Payment, reference = payment.providerReference): Promise<Found> {
    try {
      const intent = reference === '' ? await this.search(payment) : await this.retrieve(reference);
      return intent ? answerOf(intent, await this.beside(intent, payment)) : { outcome: 'absent' };
    } catch (error) {
      return isMissing(error) ? { outcome: 'absent' } : this.unknown(error);
    }
  }

  async findOthers(payment: Payment): Promise<ProviderView[]> {
    const query = `metadata['${ORDER_ID}']:'${payment.orderId}'`;
    const views: ProviderView[] = [];
    for await (const intent of this.stripe.paymentIntents.search({ query, expand: WITH_CHARGES })) {
      if (intent.id === payment.providerReference) continue;
      const view = viewOf(intent, await this.beside(intent, payment));
      if (view) views.push(view);
    }
    return views;
  }

  private async take(call: ProviderCall, amount: bigint, final: boolean): Promise<ProviderAnswer> {
    const params: Stripe.PaymentIntentCaptureParams = { amount_to_capture: Number(amount), expand: WITH_CHARGE };
    if (!final) params.final_capture = false;
    return answerOf(await this.stripe.paymentIntents.capture(call.payment.providerReference, params, keyOf(call)));
  }

  private retrieve(reference: string): Promise<Stripe.PaymentIntent> {
    return this.stripe.paymentIntents.retrieve(reference, { expand: WITH_CHARGE });
  }

  private async search({ paymentId }: Payment): Promise<Stripe.PaymentIntent | undefined> {
    const query = `metadata['${PAYMENT_ID}']:'${paymentId}'`;
    const { data } = await this.stripe.paymentIntents.search({ query, expand: WITH_CHARGES });
    return data[0];
  }

  /** Refunds and disputes, asked for only where there are any. */
  private async beside(intent: Stripe.PaymentIntent, payment: Payment): Promise<Beside> {
    const { latest_charge: charge, id } = intent;
    if (!charge || typeof charge === 'string') return {};
    const hasRefunds = charge.amount_refunded > 0 || payment.refunds.some(isUnderWay);
    const refunds = hasRefunds ? await this.refundsOf(id, charge) : [];
    return { refunds, disputedAmount: charge.disputed ? await this.disputedOf(id) : 0n };
  }

  private async refundsOf(intentId: string, charge: Stripe.Charge) {
    const refunds = await this.stripe.refunds.list({ payment_intent: intentId, limit: 100 }).autoPagingToArray(ALL);
    const letGo = refunds.findLast((refund) => isLetGo(refund, charge));
    return refunds.filter((refund) => refund !== letGo).map(refundOf);
  }

  private async disputedOf(intentId: string): Promise<bigint> {
    const disputes = await this.stripe.disputes.list({ payment_intent: intentId, limit: 100 }).autoPagingToArray(ALL);
    return disputes.reduce((sum, dispute) => sum + withdrawnBy(dispute), 0n);
  }

  /** A change that is refused was made already, or something else happened before it: the present state tells. */
  private async change(call: ProviderCall, change: () => Promise<ProviderAnswer>): Promise<ProviderAnswer> {
    try {
      return await change();
    } catch (error) {
      if (!isRefusal(error)) return this.unknown(error);
      const view = await this.present(call.payment);
      return view.outcome === 'unknown' ? view : { outcome: 'refused', detail: error.message, view };
    }
  }

  private async present(payment: Payment): Promise<ProviderView | Unknown> {
    const found = await this.find(payment);
    return found.outcome === 'absent' ? unknown('The provider does not know the payment.') : found;
  }

  private paramsOf({ payment, token, email }: ProviderCall): Stripe.PaymentIntentCreateParams {
    const { paymentId, orderId, amount } = payment;
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
      metadata: { [PAYMENT_ID]: paymentId, [ORDER_ID]: orderId },
      ...(this.multicapture && { payment_method_options: { card: { request_multicapture: 'if_available' } } }),
      ...(email === '' ? {} : { receipt_email: email }),
      expand: WITH_CHARGE,
    };
  }

  private unknown(error: unknown): Unknown {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { statusCode, code, requestId, message, type } = error;
    this.logger.warn({ statusCode, code, providerRequestId: requestId, type }, 'the provider gave no answer');
    const replayed = error.headers?.['idempotent-replayed'] === 'true' && (statusCode ?? 0) >= 500;
    // The request is made of the payment alone, so it changed by a setting of ours since the key was first used.
    const changed = error instanceof Stripe.errors.StripeIdempotencyError && statusCode === 400;
    return unknown(`${statusCode ?? 'no answer'}: ${message}`, replayed || changed);
  }
}

/** More than a payment ever has. */
const ALL = { limit: 10_000 };

function refundParams({ payment }: ProviderCall, { refundId, amount }: Refund): Stripe.RefundCreateParams {
  const metadata = { [REFUND_ID]: refundId, [PAYMENT_ID]: payment.paymentId };
  return { payment_intent: payment.providerReference, amount: Number(amount), metadata };
}

function keyOf({ idempotencyKey }: ProviderCall): Stripe.RequestOptions {
  return { idempotencyKey };
}

function answerOf(intent: Stripe.PaymentIntent, beside?: Beside): ProviderView | Unknown {
  return viewOf(intent, beside) ?? unknown(`The intent is ${intent.status}.`);
}

/** The decline that an error stands for; undefined where it is not known whether anything happened. */
function declined(error: unknown): ProviderView | undefined {
  if (!isRefusal(error)) return undefined;
  const reference = error.payment_intent?.id ?? '';
  return { outcome: 'declined', reference, capturedAmount: 0n, refunds: [], code: codeOf(error) };
}

/** The card or the request was refused, and with it the change. Limits, keys in use and the like are no refusals. */
function isRefusal(error: unknown): error is Stripe.errors.StripeError {
  return error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError;
}

function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing';
}

function unknown(detail: string, keySpent = false): Unknown {
  return { outcome: 'unknown', detail, keySpent };
}
