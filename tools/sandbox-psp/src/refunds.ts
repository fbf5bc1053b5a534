import { text, texts, type FormGroup } from './form.ts';
import { newId, nowInSeconds } from './identifiers.ts';
import type { Charge, Ledger, Refund } from './ledger.ts';
import { amountOf, chargeOf, existing, type Outcome } from './payment-intents.ts';
import { invalidRequest, missing } from './stripe-error.ts';

/** Gives captured money back, all of what is left unless an amount is named. */
export function createRefund(ledger: Ledger, form: FormGroup): Outcome {
  const charge = chargeToRefund(ledger, form);
  const left = charge.amount_captured - charge.amount_refunded;
  if (left === 0)
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, 'charge', 'charge_already_refunded');
  const amount = text(form, 'amount') ? amountOf(form, 'amount') : left;
  if (amount > left)
    throw invalidRequest(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, 'amount');
  const refund: Refund = {
    id: newId('re'),
    object: 'refund',
    amount,
    charge: charge.id,
    created: nowInSeconds(),
    currency: charge.currency,
    metadata: texts(form, 'metadata'),
    payment_intent: charge.payment_intent,
    reason: text(form, 'reason') ?? null,
    status: 'succeeded',
  };
  const amountRefunded = charge.amount_refunded + amount;
  const refunded: Charge = {
    ...charge,
    amount_refunded: amountRefunded,
    refunded: amountRefunded === charge.amount_captured,
  };
  return {
    object: refund,
    changes: { refunds: [refund], charges: [refunded] },
    notices: [{ type: 'charge.refunded', object: refunded }],
  };
}

function chargeToRefund(ledger: Ledger, form: FormGroup): Charge {
  const [intentId, chargeId] = [text(form, 'payment_intent'), text(form, 'charge')];
  if (!intentId && !chargeId)
    throw invalidRequest('One of the following params should be provided: payment_intent or charge.');
  if (chargeId) {
    const charge = ledger.charges.get(chargeId);
    if (!charge) throw missing('charge', chargeId, 'charge', 400);
    return charge;
  }
  const intent = existing(ledger, intentId ?? '');
  if (intent.status !== 'succeeded') {
    throw invalidRequest(
      `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`,
      'payment_intent',
    );
  }
  return chargeOf(ledger, intent);
}
