import type { Payment } from './domain/payment.js';
import { paymentNotFound } from './domain/payment-errors.js';
import { isUnsettled } from './domain/wishes.js';
import type { LeasesStore } from './leases.store.js';
import type { PaymentsStore } from './payments.store.js';
import type { SettlePayment } from './settle-payment.js';

/** Takes the steps that an order's payment is due, at once and not when the worker comes to it. */
export class SettleOrder {
  constructor(
    private readonly store: PaymentsStore,
    private readonly leases: LeasesStore,
    private readonly settle: SettlePayment,
  ) {}

  /** @returns the payment as far as it got; where another process works on it, that one sees to it */
  async execute(orderId: string): Promise<Payment> {
    const payment = await this.present(orderId);
    if (!isUnsettled(payment)) return payment;
    const lease = await this.leases.take(orderId);
    return lease ? this.settle.execute(lease) : this.present(orderId);
  }

  private async present(orderId: string): Promise<Payment> {
    const payment = await this.store.get(orderId);
    if (!payment) throw paymentNotFound(orderId);
    return payment;
  }
}
