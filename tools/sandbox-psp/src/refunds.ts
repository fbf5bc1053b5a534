import { text, texts, type FormGroup } from './form.ts';
import { newId, nowInSeconds } from './identifiers.ts';
import type { Charge, Ledger, Refund, RefundStatus } from './ledger.ts';
import { amountOf, chargeOf, existing, type Outcome } from './payment-intents.ts';
import { invalidRequest, missing } from './stripe-error.ts';

/**
 * Gives captured money back, all of what is left unless an amount is named. A `pending` refund counts as given back
 * until its bank has refused it.
 */
export function createRefund(ledger: Ledger, form: FormGroup, status: RefundStatus): Outcome {
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
    status,
  };
  const refunded = withRefunded(charge, charge.amount_refunded + amount);
  return {
    object: refund,
    changes: { refunds: [refund], charges: [refunded] },
    notices: [{ type: 'charge.refunded', object: refunded }],
  };
}

/** What the customer's bank does with a refund that is pending. */
export function endRefund(ledger: Ledger, id: string, status: Exclude<RefundStatus, 'pending'>): Outcome {
  const refund = ledger.refunds.get(id);
  if (!refund) throw missing('refund', id, 'refund');
  if (refund.status !== 'pending') throw invalidRequest(`Refund ${id} is ${refund.status}.`);
  const ended: Refund = { ...refund, status };
  const charge = ledger.charges.get(refund.charge);
  const isBack = status === 'failed' && charge;
  const charges = isBack ? [withRefunded(charge, charge.amount_refunded - refund.amount)] : [];
  const type = status === 'failed' ? 'refund.failed' : 'refund.updated';
  return { object: ended, changes: { refunds: [ended], charges }, notices: [{ type, object: ended }] };
}

function withRefunded(charge: Charge, amountRefunded: number): Charge {
  const refunded = charge.captured && amountRefunded === charge.amount_captured;
  return { ...charge, amount_refunded: amountRefunded, refunded };
}

function chargeToRefund(ledger: Ledger, form: FormGroup): Charge {
  const [intentId, chargeId] = [text(form, 'payment_intent'), text(form, 'charge')];
  if (!intentId && !chargeId)
    throw invalidRequest('One of the following params should be provided: payment_intent or charge.');
  const charge = chargeId ? ledger.charges.get(chargeId) : chargeOfIntent(ledger, intentId ?? '');
  if (!charge) throw missing('charge', chargeId ?? '', 'charge', 400);
  const isTakenBack = [...ledger.disputes.values()].some((it) => it.charge === charge.id && it.status !== 'won');
  if (isTakenBack) throw invalidRequest(`Charge ${charge.id} has been charged back.`, 'charge', 'charge_disputed');
  return charge;
}

function chargeOfIntent(ledger: Ledger, intentId: string): Charge {
  const intent = existing(ledger, intentId);
  if (intent.amount_received > 0) return chargeOf(ledger, intent);
  const message = `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`;
  throw invalidRequest(message, 'payment_intent');
}
