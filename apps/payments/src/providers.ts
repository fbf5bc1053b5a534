import type { PaymentMethod } from './domain/payment.js';
import type { PaymentProvider } from './payment-provider.js';

/** Which provider sees to which method. */
export class Providers {
  constructor(
    private readonly card: PaymentProvider,
    private readonly manual: PaymentProvider,
  ) {}

  of(method: PaymentMethod): PaymentProvider {
    // What was called off before it had a method has nothing to move, but its stray money came by card.
    return method === 'manual' ? this.manual : this.card;
  }
}
