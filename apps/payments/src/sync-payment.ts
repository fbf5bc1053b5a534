import { paymentNotFound } from './domain/payment-errors.js';
import type { Payment } from './domain/payment.js';
import type { LeasesStore } from './leases.store.js';
import type { PaymentsStore } from './payments.store.js';
import type { Providers } from './providers.js';
import type { SettlePayment } from './settle-payment.js';

/**
 * Asks the provider what it holds for an order, brings the payment to it, takes the steps that are left without waiting
 * for their time, and sends back what other intents of the order hold. For what no notice told, and for operators.
 */
export class SyncPayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly leases: LeasesStore,
    private readonly settle: SettlePayment,
    private readonly providers: Providers,
  ) {}

  async execute(orderId: string): Promise<Payment> {
    const payment = await this.present(orderId);
    const provider = this.providers.of(payment.method);
    const lease = await this.leases.take(orderId);
    // Whoever works on it brings it to what the provider holds.
    if (!lease) return payment;
    const found = await provider.find(lease.payment);
    if (found.outcome === 'unknown' || found.outcome === 'absent') await this.settle.execute(lease);
    else await this.settle.follow(lease, found);
    for (const view of await provider.findOthers(lease.payment)) {
      const next = await this.leases.take(orderId);
      if (next) await this.settle.follow(next, view);
    }
    return this.present(orderId);
  }

  /** @throws DomainError PAYMENT_NOT_FOUND */
  private async present(orderId: string): Promise<Payment> {
    const payment = await this.store.get(orderId);
    if (!payment) throw paymentNotFound(orderId);
    return payment;
  }
}
