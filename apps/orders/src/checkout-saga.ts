/**
 * The checkout saga, whole: hold the stock, authorise the payment, confirm the order; what can't be had is undone in the
 * opposite order. Guarantees: an order ends CONFIRMED, REJECTED or CANCELLED with nothing held or charged that should not
 * be, whoever dies in between. Nothing is written between the steps: each remote step answers the same when it is asked
 * again for the same order, so that whoever takes a saga over repeats it from its start.
 */
import type { InventoryServiceService } from '@souk/proto/inventory/v1';
import type { PaymentsServiceService } from '@souk/proto/payments/v1';
import type { RpcClient } from '@souk/rpc';
import {
  cancelSettling,
  confirmOrder,
  finishUndo,
  rejectOrder,
  type Change,
  type Order,
  type Shortage,
  type TimelineEntry,
} from './domain/order.js';
import { paymentDeclined, stockShort } from './domain/rejections.js';
import type { OrdersStore, SagaTask } from './orders.store.js';

export type StockPort = Pick<RpcClient<InventoryServiceService>, 'holdStock' | 'releaseStock'>;
export type PaymentPort = Pick<RpcClient<PaymentsServiceService>, 'authorizePayment' | 'cancelPayment'>;

/** The payment provider's answer is not known yet: ask again later. */
export class NotYetKnown extends Error {}

/** Somebody else runs this saga, or ended it: there is nothing left to do here. */
export class SagaTakenOver extends Error {}

// Longer than the provider may take, so that payments itself finds out what became of a call.
const PAYMENT_TIMEOUT_MS = 10_000;

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
    if (order.cancelRequested) return this.save(order, epoch, (o) => cancelSettling(o, steps, this.now()));

    const shortages = await this.holdStock(order);
    if (shortages) return this.save(order, epoch, (o) => rejectOrder(o, stockShort(shortages), steps, this.now()));
    done('STOCK_HELD');

    const declineCode = await this.authorizePayment(order);
    if (declineCode)
      return this.save(order, epoch, (o) => rejectOrder(o, paymentDeclined(declineCode), steps, this.now()));
    done('PAYMENT_AUTHORIZED');

    return this.save(order, epoch, (o) => confirmOrder(o, steps, this.now()));
  }

  private async undo(order: Order, epoch: number): Promise<Order> {
    const { payment } = await this.payments.cancelPayment(
      { orderId: order.orderId },
      { timeoutMs: PAYMENT_TIMEOUT_MS },
    );
    if (payment?.state === 'STATE_PROCESSING') throw new NotYetKnown('The provider has not said yet what it did.');
    const returned: TimelineEntry = { kind: 'PAYMENT_RETURNED', time: this.now() };
    await this.stock.releaseStock({ orderId: order.orderId });
    const released: TimelineEntry = { kind: 'STOCK_RELEASED', time: this.now() };
    const steps = order.rejection ? [released] : [returned, released];
    return this.save(order, epoch, (o) => finishUndo(o, steps, this.now()));
  }

  /** @returns what is short, or undefined where everything is held */
  private async holdStock(order: Order): Promise<Shortage[] | undefined> {
    const lines = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
    const { state, shortages } = await this.stock.holdStock({ orderId: order.orderId, lines });
    if (state === 'STATE_REFUSED') return shortages;
    if (state !== 'STATE_HELD') throw new SagaTakenOver(`The hold is ${state}.`);
    return undefined;
  }

  /** @returns why the provider refused, or undefined where the money is set aside */
  private async authorizePayment({ orderId, total, payment: choice, email }: Order): Promise<string | undefined> {
    const request = { orderId, amount: total, method: choice.method, token: choice.token, email };
    const { payment } = await this.payments.authorizePayment(request, { timeoutMs: PAYMENT_TIMEOUT_MS });
    switch (payment?.state) {
      case 'STATE_AUTHORIZED':
      case 'STATE_CAPTURED':
        return undefined;
      case 'STATE_DECLINED':
        return payment.declineCode || 'generic_decline';
      case 'STATE_PROCESSING':
        throw new NotYetKnown('The provider has not answered yet.');
      default:
        throw new SagaTakenOver(`The payment is ${payment?.state}.`);
    }
  }

  /** Writes a change; where the customer called the order off meanwhile, the change is made anew on top of that. */
  private async save(order: Order, epoch: number, change: (order: Order) => Change): Promise<Order> {
    const first = change(order);
    if (await this.orders.saveStep(first, epoch)) return first.order;
    const present = await this.orders.get(order.orderId);
    if (present.phase !== order.phase) throw new SagaTakenOver(`The order is ${present.state}.`);
    const second = change(present);
    if (await this.orders.saveStep(second, epoch)) return second.order;
    throw new SagaTakenOver('The lease was lost.');
  }
}
