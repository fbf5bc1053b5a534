import { uuidv7 } from '@souk/postgres';
import { voidInAdvance } from './domain/payment.js';
import type { PaymentsStore } from './payments.store.js';

/**
 * Notes that whatever an order's payment holds is to go back; also before the authorisation that it undoes. Giving it back
 * is SettlePayment's.
 */
export class CancelPayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly now: () => Date,
  ) {}

  async execute(orderId: string): Promise<void> {
    if (await this.store.requestCancel(orderId)) return;
    const [payment] = await this.store.insertMany([voidInAdvance(orderId, uuidv7(), this.now())]);
    // An authorisation may have come in between.
    if (payment?.method !== 'none') await this.store.requestCancel(orderId);
  }
}
