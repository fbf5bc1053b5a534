import { requireCapturable, type Payment } from './domain/payment.js';
import { paymentNotFound } from './domain/payment-errors.js';
import type { PaymentsStore } from './payments.store.js';
import type { SettlePayment } from './settle-payment.js';

/** Takes the money that is set aside. Where the provider does not answer, the worker goes on trying. */
export class CapturePayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly settle: SettlePayment,
  ) {}

  async execute(orderId: string): Promise<Payment> {
    const payment = await this.store.get(orderId);
    if (!payment) throw paymentNotFound(orderId);
    requireCapturable(payment);
    if (payment.state === 'CAPTURED') return payment;
    await this.store.requestCaptures([orderId]);
    const lease = await this.store.takeLease(orderId);
    return lease ? this.settle.execute(lease) : ((await this.store.get(orderId)) ?? payment);
  }
}
