import { missing } from './stripe-error.ts';

/** What becomes of a charge to a payment method. */
export type CardBehaviour =
  | { kind: 'charge'; onlyOneCapture?: boolean }
  | { kind: 'decline'; code: string; declineCode?: string; message: string }
  | { kind: 'authentication' };

/** A fault that a magic payment method asks for. */
export type MagicFault =
  { kind: 'delay'; delayMs: number } | { kind: 'timeout_after_charge' | 'timeout_before_charge' | 'error_500' };

const DECLINED = 'Your card was declined.';

const CARDS: Readonly<Record<string, CardBehaviour>> = {
  pm_card_visa: { kind: 'charge' },
  pm_card_mastercard: { kind: 'charge' },
  pm_card_credit_disableEnterpriseCardFeatures: { kind: 'charge', onlyOneCapture: true },
  pm_card_chargeDeclined: decline('card_declined', DECLINED, 'generic_decline'),
  pm_card_visa_chargeDeclined: decline('card_declined', DECLINED, 'generic_decline'),
  pm_card_chargeDeclinedInsufficientFunds: decline(
    'card_declined',
    'Your card has insufficient funds.',
    'insufficient_funds',
  ),
  pm_card_visa_chargeDeclinedInsufficientFunds: decline(
    'card_declined',
    'Your card has insufficient funds.',
    'insufficient_funds',
  ),
  pm_card_chargeDeclinedLostCard: decline('card_declined', DECLINED, 'lost_card'),
  pm_card_chargeDeclinedStolenCard: decline('card_declined', DECLINED, 'stolen_card'),
  pm_card_chargeDeclinedExpiredCard: decline('expired_card', 'Your card has expired.'),
  pm_card_chargeDeclinedIncorrectCvc: decline('incorrect_cvc', "Your card's security code is incorrect."),
  pm_card_chargeDeclinedProcessingError: decline(
    'processing_error',
    'An error occurred while processing your card. Try again in a little bit.',
  ),
  pm_card_authenticationRequired: { kind: 'authentication' },
};

const MAGIC: Readonly<Record<string, MagicFault>> = {
  pm_sandbox_timeoutAfterCharge: { kind: 'timeout_after_charge' },
  pm_sandbox_timeoutBeforeCharge: { kind: 'timeout_before_charge' },
  pm_sandbox_error500: { kind: 'error_500' },
};

const SLOW = /^pm_sandbox_slow_(\d{1,6})$/;

function decline(code: string, message: string, declineCode?: string): CardBehaviour {
  return { kind: 'decline', code, declineCode, message };
}

/** @throws StripeError resource_missing for a payment method that nobody knows */
export function behaviourOf(paymentMethod: string): CardBehaviour {
  if (magicFaultOf(paymentMethod)) return { kind: 'charge' };
  const card = Object.hasOwn(CARDS, paymentMethod) ? CARDS[paymentMethod] : undefined;
  if (!card) throw missing('PaymentMethod', paymentMethod, 'payment_method', 400);
  return card;
}

export function magicFaultOf(paymentMethod: string | undefined): MagicFault | undefined {
  if (paymentMethod === undefined) return undefined;
  const slow = SLOW.exec(paymentMethod);
  if (slow) return { kind: 'delay', delayMs: Number(slow[1]) };
  return Object.hasOwn(MAGIC, paymentMethod) ? MAGIC[paymentMethod] : undefined;
}

/** The decline that a switched-on fault makes of any card. */
export const FAULT_DECLINE = {
  kind: 'decline',
  code: 'card_declined',
  declineCode: 'generic_decline',
  message: DECLINED,
} as const;
