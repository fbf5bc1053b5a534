import { Batcher } from '@souk/batching';
import { uuidv7 } from '@souk/postgres';
import { authorizePayment, openPayment, requireSameTerms, type Change, type Payment } from './domain/payment.js';
import type { PaymentRequest } from './domain/payment-request.js';
import type { LeasesStore } from './leases.store.js';
import type { PaymentsStore } from './payments.store.js';
import type { SettlePayment } from './settle-payment.js';

/** Sets the money of an order aside, once, however often it is asked. */
export class AuthorizePayment {
  private readonly manual: Batcher<Change, Payment>;

  constructor(
    private readonly store: PaymentsStore,
    private readonly leases: LeasesStore,
    private readonly settle: SettlePayment,
    private readonly now: () => Date,
  ) {
    this.manual = new Batcher((changes) => store.insertMany(changes));
  }

  async execute(request: PaymentRequest): Promise<Payment> {
    const opened = openPayment(request, uuidv7(), this.now());
    const payment = request.method === 'manual' ? await this.byHand(opened) : await this.byCard(opened, request);
    requireSameTerms(payment, request);
    return payment;
  }

  /** Nobody is asked, so many payments are decided in one transaction. */
  private byHand(opened: Payment): Promise<Payment> {
    return this.manual.add(authorizePayment(opened, '', opened.createTime));
  }

  private async byCard(opened: Payment, request: PaymentRequest): Promise<Payment> {
    const lease = await this.leases.open(opened, request);
    if (!lease) return this.again(request);
    return lease.payment.state === 'PROCESSING' ? this.settle.execute(lease) : lease.payment;
  }

  /** The card of the first request is asked for again, under the key of the first request. */
  private async again(request: PaymentRequest): Promise<Payment> {
    const present = await this.present(request.orderId);
    requireSameTerms(present, request);
    if (present.state !== 'PROCESSING') return present;
    const lease = await this.leases.take(request.orderId);
    return lease ? this.settle.execute(lease) : this.present(request.orderId);
  }

  private async present(orderId: string): Promise<Payment> {
    const payment = await this.store.get(orderId);
    if (!payment) throw new Error(`The payment of order ${orderId} is gone.`);
    return payment;
  }
}
