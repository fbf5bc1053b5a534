/**
 * How money that is set aside is taken, in one go or in parts, and let go. A capture is final unless `final_capture` says
 * otherwise, which only intents may that asked for several captures; a final one lets go what is left.
 */
import { text, type FormGroup } from './form.ts';
import { nowInSeconds } from './identifiers.ts';
import type { Charge, Ledger, PaymentIntent } from './ledger.ts';
import { amountOf, chargeOf, existing, type Outcome } from './payment-intents.ts';
import { invalidRequest, unexpectedState } from './stripe-error.ts';

export function captureIntent(ledger: Ledger, id: string, form: FormGroup): Outcome {
  const intent = existing(ledger, id);
  if (intent.status !== 'requires_capture') throw unexpectedState(intent, 'captured');
  const charge = chargeOf(ledger, intent);
  const isFinal = text(form, 'final_capture') !== 'false';
  if (!isFinal && charge.payment_method_details.card.multicapture.status !== 'available') {
    throw invalidRequest('This PaymentIntent does not support multiple captures.', 'final_capture');
  }
  return captured(intent, charge, amountToCapture(intent, form, isFinal), isFinal);
}

export function cancelIntent(ledger: Ledger, id: string, form: FormGroup): Outcome {
  const intent = existing(ledger, id);
  if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpectedState(intent, 'canceled');
  if (intent.amount_received > 0) return captured(intent, chargeOf(ledger, intent), 0, true);
  const canceled: PaymentIntent = {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: nowInSeconds(),
    cancellation_reason: text(form, 'cancellation_reason') ?? null,
    next_action: null,
  };
  const released = intent.status === 'requires_capture' ? [{ ...chargeOf(ledger, intent), refunded: true }] : [];
  return {
    object: canceled,
    changes: { intents: [canceled], charges: released },
    notices: [{ type: 'payment_intent.canceled', object: canceled }],
  };
}

/** Nothing may be taken where it only ends what was taken in parts. */
function amountToCapture(intent: PaymentIntent, form: FormGroup, isFinal: boolean): number {
  const given = text(form, 'amount_to_capture');
  if (!given) return intent.amount_capturable;
  if (given === '0' && isFinal && intent.amount_received > 0) return 0;
  const amount = amountOf(form, 'amount_to_capture');
  if (amount <= intent.amount_capturable) return amount;
  const message = 'The amount to capture is more than the amount that is capturable.';
  throw invalidRequest(message, 'amount_to_capture', 'amount_too_large');
}

function captured(intent: PaymentIntent, charge: Charge, amount: number, isFinal: boolean): Outcome {
  const received = intent.amount_received + amount;
  const after: PaymentIntent = {
    ...intent,
    status: isFinal ? 'succeeded' : 'requires_capture',
    amount_capturable: isFinal ? 0 : intent.amount_capturable - amount,
    amount_received: received,
  };
  const refunded = isFinal && charge.amount_refunded === received;
  const taken: Charge = { ...charge, captured: isFinal, amount_captured: received, refunded };
  const type = isFinal ? 'payment_intent.succeeded' : 'payment_intent.amount_capturable_updated';
  return { object: after, changes: { intents: [after], charges: [taken] }, notices: [{ type, object: after }] };
}
