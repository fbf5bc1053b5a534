/** What customers' banks do about charges: they take money back, and keep it or return it. */
import { newId, nowInSeconds } from './identifiers.ts';
import type { Charge, Dispute, Ledger } from './ledger.ts';
import { chargeOf, existing, type Outcome } from './payment-intents.ts';
import { invalidRequest, missing } from './stripe-error.ts';

/** Takes back what was captured and not refunded, unless an amount is named. */
export function openDispute(ledger: Ledger, intentId: string, wanted?: number): Outcome {
  const charge = chargeOf(ledger, existing(ledger, intentId));
  const left = charge.amount_captured - charge.amount_refunded;
  const amount = wanted ?? left;
  if (charge.disputed || amount < 1 || amount > left) throw invalidRequest(`Charge ${charge.id} can't be disputed.`);
  const dispute: Dispute = {
    id: newId('dp'),
    object: 'dispute',
    amount,
    charge: charge.id,
    created: nowInSeconds(),
    currency: charge.currency,
    livemode: false,
    payment_intent: intentId,
    reason: 'fraudulent',
    status: 'needs_response',
  };
  const disputed: Charge = { ...charge, disputed: true };
  return {
    object: dispute,
    changes: { disputes: [dispute], charges: [disputed] },
    notices: [
      { type: 'charge.dispute.created', object: dispute },
      { type: 'charge.dispute.funds_withdrawn', object: dispute },
    ],
  };
}

export function closeDispute(ledger: Ledger, id: string, status: 'won' | 'lost'): Outcome {
  const dispute = readDispute(ledger, id);
  if (dispute.status !== 'needs_response') throw invalidRequest(`Dispute ${id} is ${dispute.status}.`);
  const closed: Dispute = { ...dispute, status };
  const reinstated = status === 'won' ? [{ type: 'charge.dispute.funds_reinstated', object: closed }] : [];
  const notices = [{ type: 'charge.dispute.closed', object: closed }, ...reinstated];
  return { object: closed, changes: { disputes: [closed] }, notices };
}

export function readDispute(ledger: Ledger, id: string): Dispute {
  const dispute = ledger.disputes.get(id);
  if (!dispute) throw missing('dispute', id, 'dispute');
  return dispute;
}
