import type { Claim } from '@souk/idempotency';
import { uuidv7 } from '@souk/postgres';
import type { Payment } from './domain/payment.js';
import type { RefundRequest } from './domain/payment-request.js';
import { requestRefund } from './domain/wishes.js';
import type { PaymentsStore } from './payments.store.js';

/**
 * Puts on record, once per key, that captured money is to go back. Giving it back is SettlePayment's; where the provider
 * does not answer, the worker goes on trying.
 */
export class RefundPayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly now: () => Date,
  ) {}

  async execute(
    { orderId, amount, reason }: RefundRequest,
    claim: Claim,
  ): Promise<{ refundId: string; replayed: boolean }> {
    const fresh = { refundId: uuidv7(), now: this.now() };
    const decide = (payment: Payment) => requestRefund(payment, amount, reason, fresh);
    const { answer, replayed } = await this.store.requestRefund(claim, orderId, decide);
    return { ...answer, replayed };
  }
}
