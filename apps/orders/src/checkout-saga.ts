/**
 * The checkout saga, whole: hold the stock, authorise the payment, confirm the order; what can't be had is undone in the
 * opposite order. Guarantees: an order ends CONFIRMED, REJECTED or CANCELLED with nothing held or charged that should not
 * be, whoever dies in between. Nothing is written between the steps: each remote step answers the same when it is asked
 * again for the same order, so that whoever takes a saga over repeats it from its start. An answer that does not say what
 * became of stock or money decides nothing.
 */
import type { HoldStockResponse, InventoryServiceService } from '@souk/proto/inventory/v1';
import type { Payment, Payment_State, PaymentsServiceService } from '@souk/proto/payments/v1';
import type { RpcClient } from '@souk/rpc';
import {
  cancelSettling,
  confirmOrder,
  finishUndo,
  rejectOrder,
  type Change,
  type Order,
  type Rejection,
  type TimelineEntry,
} from './domain/order.js';
import { paymentAttemptsExceeded, paymentDeclined, stockShort } from './domain/rejections.js';
import type { OrdersStore } from './orders.store.js';
import type { SagaTask } from './sagas.store.js';

/**
 * Stored with each order that it begins. Another number where its steps change such that the code before could not go on with
 * them: processes leave sagas of a newer version alone, and must be able to finish all older ones.
 */
export const SAGA_VERSION = 1;

export type StockPort = Pick<RpcClient<InventoryServiceService>, 'holdStock' | 'releaseStock'>;
export type PaymentPort = Pick<RpcClient<PaymentsServiceService>, 'authorizePayment' | 'cancelPayment'>;

/** The payment provider's answer is not known yet: ask again later. */
export class NotYetKnown extends Error {}

/** Somebody else runs this saga, or ended it: there is nothing left to do here. */
export class SagaTakenOver extends Error {}

// Longer than the provider may take, so that payments itself finds out what became of a call.
const PAYMENT_TIMEOUT_MS = 10_000;

/** A payment in these states takes no money from the customer, and never will. */
const GIVEN_BACK: ReadonlySet<Payment_State> = new Set(['STATE_VOIDED', 'STATE_REFUNDED', 'STATE_DECLINED']);

export class CheckoutSaga {
  constructor(
    private readonly orders: Pick<OrdersStore, 'saveStep' | 'get'>,
    private readonly stock: StockPort,
    private readonly payments: PaymentPort,
    private readonly now: () => Date,
  ) {}

  /** Runs the saga to its end. @throws where a step can't be done now: run it again later */
  async run({ order, epoch }: SagaTask): Promise<Order> {
    const settled = order.phase === 'CHECKOUT' ? await this.settle(order, epoch) : order;
    return settled.phase === 'UNDO' ? this.undo(settled, epoch) : settled;
  }

  private async settle(order: Order, epoch: number): Promise<Order> {
    const steps: TimelineEntry[] = [];
    const done = (kind: TimelineEntry['kind']) => steps.push({ kind, time: this.now() });
    const end = (change: (order: Order) => Change) => this.save(order, epoch, change);
    if (order.cancelRequested) return end((o) => cancelSettling(o, steps, this.now()));

    const { state: hold, shortages } = await this.holdStock(order);
    if (hold === 'STATE_REFUSED') return end((o) => rejectOrder(o, stockShort(shortages), steps, this.now()));
    if (hold === 'STATE_RELEASED') return end((o) => cancelSettling(o, steps, this.now()));
    // Units that are sold already were held: the order was confirmed, by another owner or before its database was restored.
    if (hold !== 'STATE_HELD' && hold !== 'STATE_SOLD') throw new Error(`The hold is ${hold}.`);
    done('STOCK_HELD');

    const payment = await this.authorizePayment(order);
    switch (payment?.state) {
      case 'STATE_AUTHORIZED':
      case 'STATE_CAPTURED':
        done('PAYMENT_AUTHORIZED');
        return end((o) => confirmOrder(o, steps, this.now()));
      case 'STATE_DECLINED':
        return end((o) => rejectOrder(o, refusalOf(payment), steps, this.now()));
      case 'STATE_VOIDED':
      case 'STATE_REFUNDED':
        done('PAYMENT_LOST');
        return end((o) => cancelSettling(o, steps, this.now()));
      case 'STATE_PROCESSING':
        throw new NotYetKnown('The provider has not answered yet.');
      default:
        throw new Error(`The payment is ${payment?.state}.`);
    }
  }

  private async undo(order: Order, epoch: number): Promise<Order> {
    const { orderId } = order;
    const { payment } = await this.payments.cancelPayment({ orderId }, { timeoutMs: PAYMENT_TIMEOUT_MS });
    if (payment?.state === 'STATE_PROCESSING') throw new NotYetKnown('The provider has not said yet what it did.');
    if (!payment || !GIVEN_BACK.has(payment.state)) throw new Error(`The payment to give back is ${payment?.state}.`);
    const returned: TimelineEntry = { kind: 'PAYMENT_RETURNED', time: this.now() };
    const { state } = await this.stock.releaseStock({ orderId });
    if (state !== 'STATE_RELEASED' && state !== 'STATE_REFUSED') throw new Error(`The hold to release is ${state}.`);
    const released: TimelineEntry = { kind: 'STOCK_RELEASED', time: this.now() };
    const steps = payment.state === 'STATE_DECLINED' ? [released] : [returned, released];
    return this.save(order, epoch, (o) => finishUndo(o, steps, this.now()));
  }

  private holdStock({ orderId, cartId = '', lines }: Order): Promise<HoldStockResponse> {
    const quantities = lines.map(({ sku, quantity }) => ({ sku, quantity }));
    return this.stock.holdStock({ orderId, lines: quantities, cartId });
  }

  private async authorizePayment({
    orderId,
    total,
    payment: choice,
    email,
    customerId,
  }: Order): Promise<Payment | undefined> {
    const { method, token, clientDigest } = choice;
    const request = { orderId, amount: total, method, token, email, clientDigest, customerId: customerId ?? '' };
    return (await this.payments.authorizePayment(request, { timeoutMs: PAYMENT_TIMEOUT_MS })).payment;
  }

  /** Writes a change; where something else was noted about the order meanwhile, the change is made anew on top of that. */
  private async save(order: Order, epoch: number, change: (order: Order) => Change): Promise<Order> {
    for (let present = order; ;) {
      const next = change(present);
      if (await this.orders.saveStep(next, epoch)) return next.order;
      const { version } = present;
      present = await this.orders.get(order.orderId);
      if (present.phase !== order.phase) throw new SagaTakenOver(`The order is ${present.state}.`);
      if (present.version === version) throw new SagaTakenOver('The lease was lost.');
    }
  }
}

function refusalOf({ declineCode, retryTime }: Payment): Rejection {
  return retryTime ? paymentAttemptsExceeded(retryTime) : paymentDeclined(declineCode || 'generic_decline');
}
