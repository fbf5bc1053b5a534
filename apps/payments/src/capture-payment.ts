import type { Claim } from '@souk/idempotency';
import { notCapturable } from './domain/payment-errors.js';
import type { Payment } from './domain/payment.js';
import type { CaptureRequest } from './domain/payment-request.js';
import { requestCapture } from './domain/wishes.js';
import type { PaymentsStore } from './payments.store.js';

/**
 * Puts on record, once per key, that money which is set aside is to be taken. Taking it is SettlePayment's; where the
 * provider does not answer, the worker goes on trying.
 */
export class CapturePayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly now: () => Date,
  ) {}

  /** @returns the sequence of the capture; 0 where all was captured before */
  async execute(
    { orderId, amount, moreToCome }: CaptureRequest,
    claim: Claim,
  ): Promise<{ sequence: number; replayed: boolean }> {
    const decide = (payment: Payment) => requestCapture(payment, amount, moreToCome, this.now());
    const { answer, replayed } = await this.store.requestCapture(claim, orderId, decide);
    return { ...answer, replayed };
  }
}

/** @throws DomainError PAYMENT_NOT_CAPTURABLE where the provider has refused the capture */
export function requireNotRefused({ orderId, state, captures }: Payment, sequence: number): void {
  const isRefused = captures.some((capture) => capture.sequence === sequence && capture.state === 'FAILED');
  if (isRefused) throw notCapturable(orderId, state);
}
