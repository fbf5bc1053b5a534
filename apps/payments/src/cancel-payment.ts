import { uuidv7 } from '@souk/postgres';
import { nextStep, voidInAdvance, type Payment } from './domain/payment.js';
import type { PaymentsStore } from './payments.store.js';
import type { SettlePayment } from './settle-payment.js';

/** Gives back whatever an order's payment holds; also before the authorisation that it undoes. */
export class CancelPayment {
  constructor(
    private readonly store: PaymentsStore,
    private readonly settle: SettlePayment,
    private readonly now: () => Date,
  ) {}

  async execute(orderId: string): Promise<Payment> {
    const wished = (await this.store.requestCancel(orderId)) ?? (await this.inAdvance(orderId));
    if (!nextStep(wished)) return wished;
    // Where another process works on it, that one sees the wish, or the worker does once the lease is free.
    const lease = await this.store.takeLease(orderId);
    return lease ? this.settle.execute(lease) : ((await this.store.get(orderId)) ?? wished);
  }

  private async inAdvance(orderId: string): Promise<Payment> {
    const [payment] = await this.store.insertMany([voidInAdvance(orderId, uuidv7(), this.now())]);
    // An authorisation may have come in between.
    if (payment?.method === 'none') return payment;
    const wished = await this.store.requestCancel(orderId);
    if (!wished) throw new Error(`The payment of order ${orderId} is gone.`);
    return wished;
  }
}
