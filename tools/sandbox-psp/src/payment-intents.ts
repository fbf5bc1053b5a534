/**
 * How the provider makes payment intents and charges cards. Each function decides from the parameters and the present state alone
 * and returns the changes to commit; a refused card is an error whose changes are committed too.
 */
import { group, text, texts, type FormGroup } from './form.ts';
import { newId, nowInSeconds, randomText } from './identifiers.ts';
import type { Changes, Charge, Ledger, Multicapture, PaymentIntent, Subject } from './ledger.ts';
import { behaviourOf, FAULT_DECLINE, type CardBehaviour } from './payment-methods.ts';
import { invalidRequest, missing, StripeError, unexpectedState, type ErrorBody } from './stripe-error.ts';

/** The answer to a call, and what it changes. `notices` are the events that subscribers are told. */
export interface Outcome {
  object: Subject;
  error?: StripeError;
  changes: Changes;
  notices: { type: string; object: Subject }[];
}

const MAX_AMOUNT = 99_999_999;
const AUTHORIZATION_LASTS_S = 7 * 24 * 60 * 60;

export function createIntent(form: FormGroup, declineAnyway: boolean): Outcome {
  const currency = text(form, 'currency');
  if (!currency || !/^[a-z]{3}$/i.test(currency)) throw invalidRequest(`Invalid currency: ${currency}.`, 'currency');
  const intent: PaymentIntent = {
    id: newId('pi'),
    object: 'payment_intent',
    amount: amountOf(form, 'amount'),
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: text(form, 'capture_method') === 'manual' ? 'manual' : 'automatic',
    client_secret: '',
    confirmation_method: 'automatic',
    created: nowInSeconds(),
    currency: currency.toLowerCase(),
    customer: null,
    description: text(form, 'description') ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: texts(form, 'metadata'),
    next_action: null,
    payment_method: null,
    payment_method_types: ['card'],
    receipt_email: text(form, 'receipt_email') ?? null,
    status: 'requires_payment_method',
  };
  intent.client_secret = `${intent.id}_secret_${randomText(16)}`;
  if (text(form, 'confirm') === 'true') return confirm(intent, form, declineAnyway);
  const paymentMethod = text(form, 'payment_method');
  if (paymentMethod) {
    behaviourOf(paymentMethod);
    Object.assign(intent, { payment_method: paymentMethod, status: 'requires_confirmation' });
  }
  return { object: intent, changes: { intents: [intent] }, notices: [] };
}

export function confirmIntent(ledger: Ledger, id: string, form: FormGroup, declineAnyway: boolean): Outcome {
  const intent = existing(ledger, id);
  if (!['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(intent.status)) {
    throw unexpectedState(intent, 'confirmed');
  }
  return confirm(intent, form, declineAnyway);
}

export function existing(ledger: Ledger, id: string): PaymentIntent {
  const intent = ledger.intents.get(id);
  if (!intent) throw missing('payment_intent', id, 'intent');
  return intent;
}

/** A positive whole number of minor units. */
export function amountOf(form: FormGroup, name: string): number {
  const given = text(form, name);
  if (!given || !/^\d+$/.test(given))
    throw invalidRequest(`Invalid integer: ${given}`, name, 'parameter_invalid_integer');
  const amount = Number(given);
  if (amount < 1)
    throw invalidRequest('This value must be greater than or equal to 1.', name, 'parameter_invalid_integer');
  if (amount > MAX_AMOUNT) throw invalidRequest('Amount must be no more than 999,999.99', name, 'amount_too_large');
  return amount;
}

export function chargeOf(ledger: Ledger, intent: PaymentIntent): Charge {
  const charge = ledger.charges.get(intent.latest_charge ?? '');
  if (!charge) throw new Error(`intent ${intent.id} has no charge`);
  return charge;
}

function confirm(intent: PaymentIntent, form: FormGroup, declineAnyway: boolean): Outcome {
  const paymentMethod = text(form, 'payment_method') ?? intent.payment_method;
  if (!paymentMethod)
    throw invalidRequest('You cannot confirm this PaymentIntent because it is missing a payment method.');
  const known = behaviourOf(paymentMethod);
  const behaviour = declineAnyway ? FAULT_DECLINE : known;
  const asked: PaymentIntent = {
    ...intent,
    payment_method: paymentMethod,
    last_payment_error: null,
    next_action: null,
  };
  if (behaviour.kind === 'charge') return charged(asked, paymentMethod, multicaptureOf(form, behaviour));
  if (behaviour.kind === 'decline') return declined(asked, paymentMethod, behaviour);
  const mustNotAsk = text(form, 'error_on_requires_action') === 'true' || text(form, 'off_session') === 'true';
  if (mustNotAsk) return declined(asked, paymentMethod, AUTHENTICATION_REQUIRED);
  const waiting: PaymentIntent = { ...asked, status: 'requires_action', next_action: { type: 'use_stripe_sdk' } };
  return {
    object: waiting,
    changes: { intents: [waiting] },
    notices: [{ type: 'payment_intent.requires_action', object: waiting }],
  };
}

const AUTHENTICATION_REQUIRED = {
  kind: 'decline',
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
} as const;

function charged(intent: PaymentIntent, paymentMethod: string, multicapture: Multicapture): Outcome {
  const atOnce = intent.capture_method === 'automatic';
  const taken = { captured: atOnce, amount_captured: atOnce ? intent.amount : 0 };
  const charge = newCharge(intent, paymentMethod, taken, multicapture);
  const result: PaymentIntent = {
    ...intent,
    status: atOnce ? 'succeeded' : 'requires_capture',
    amount_capturable: atOnce ? 0 : intent.amount,
    amount_received: atOnce ? intent.amount : 0,
    latest_charge: charge.id,
  };
  const type = atOnce ? 'payment_intent.succeeded' : 'payment_intent.amount_capturable_updated';
  return { object: result, changes: { intents: [result], charges: [charge] }, notices: [{ type, object: result }] };
}

function declined(
  intent: PaymentIntent,
  paymentMethod: string,
  { code, declineCode, message }: Extract<CardBehaviour, { kind: 'decline' }>,
): Outcome {
  const charge = newCharge(intent, paymentMethod, {
    status: 'failed',
    paid: false,
    failure_code: code,
    failure_message: message,
  });
  const reason: ErrorBody = { type: 'card_error', code, decline_code: declineCode, message, charge: charge.id };
  const result: PaymentIntent = {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: charge.id,
    last_payment_error: reason,
  };
  return {
    object: result,
    error: new StripeError(402, { ...reason, payment_intent: result }),
    changes: { intents: [result], charges: [charge] },
    notices: [{ type: 'payment_intent.payment_failed', object: result }],
  };
}

/** Several captures are for those who asked for them, of cards that allow it. */
function multicaptureOf(form: FormGroup, card: Extract<CardBehaviour, { kind: 'charge' }>): Multicapture {
  const options = group(group(form, 'payment_method_options'), 'card');
  const wasAskedFor = text(options, 'request_multicapture') === 'if_available';
  return wasAskedFor && !card.onlyOneCapture ? 'available' : 'unavailable';
}

function newCharge(
  intent: PaymentIntent,
  paymentMethod: string,
  differs: Partial<Charge>,
  multicapture: Multicapture = 'unavailable',
): Charge {
  const created = nowInSeconds();
  const card = { capture_before: created + AUTHORIZATION_LASTS_S, multicapture: { status: multicapture } };
  return {
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    captured: false,
    created,
    currency: intent.currency,
    disputed: false,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: intent.metadata,
    paid: true,
    payment_intent: intent.id,
    payment_method: paymentMethod,
    payment_method_details: { type: 'card', card },
    receipt_email: intent.receipt_email,
    refunded: false,
    status: 'succeeded',
    ...differs,
  };
}
