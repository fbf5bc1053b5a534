/**
 * The life of an order as pure functions: `(order, input, now) => { order, events }`. Each checks the table of states,
 * raises the version by one and says what happened; nothing here knows a clock, a database or a wire.
 */
import { toDecimal, type Money } from '@souk/money';
import { orderNotCancellable, orderNotFulfillable } from './order-errors.js';
import { totalOf, type OrderLine } from './order-pricing.js';
import { mayBecome, type OrderState } from './order-state.js';

export interface Address {
  readonly name: string;
  readonly line1: string;
  readonly line2: string;
  readonly city: string;
  readonly region: string;
  readonly postalCode: string;
  readonly country: string;
}

export interface Shortage {
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
}

/** How an order is paid, and from where it came. */
export interface PaymentChoice {
  readonly method: string;
  /** Names the card; empty once the order is settled. */
  readonly token: string;
  /** Keyed digest of the buyer's network address; empty where that is not known, and once the order is settled. */
  readonly clientDigest: string;
}

/** Why an order was refused. */
export type Rejection =
  | { readonly reason: 'STOCK_SHORT'; readonly message: string; readonly shortages: readonly Shortage[] }
  | { readonly reason: 'PAYMENT_DECLINED'; readonly message: string; readonly declineCode: string }
  | {
      readonly reason: 'PAYMENT_ATTEMPTS_EXCEEDED';
      readonly message: string;
      /** From when on a card may be tried again, in ISO 8601. */
      readonly retryTime: string;
    };

export type TimelineKind =
  | 'PLACED'
  | 'STOCK_HELD'
  | 'STOCK_SHORT'
  | 'PAYMENT_AUTHORIZED'
  | 'PAYMENT_DECLINED'
  | 'PAYMENT_ATTEMPTS_EXCEEDED'
  | 'CONFIRMED'
  | 'REJECTED'
  | 'CANCEL_REQUESTED'
  | 'CANCELLED'
  | 'PAYMENT_RETURNED'
  | 'STOCK_RELEASED'
  | 'FULFILLED'
  | 'PAYMENT_LOST'
  | 'REFUNDED';

export interface TimelineEntry {
  readonly kind: TimelineKind;
  readonly time: Date;
  readonly detail?: string;
}

/** What is left to do for an order: `CHECKOUT` settles stock and payment, `UNDO` gives both back, `DONE` is nothing. */
export type SagaPhase = 'CHECKOUT' | 'UNDO' | 'DONE';

export interface Order {
  readonly orderId: string;
  readonly number: string;
  readonly state: OrderState;
  readonly phase: SagaPhase;
  /** Whether it is to be cancelled as soon as the saga gets to it, whatever stock and payment say. */
  readonly cancelRequested: boolean;
  readonly lines: readonly OrderLine[];
  readonly total: Money;
  /** Minor units of the total that went back to the customer. */
  readonly refundedAmount: bigint;
  readonly email: string;
  readonly shippingAddress: Address;
  readonly payment: PaymentChoice;
  readonly customerId?: string;
  readonly cartId?: string;
  readonly rejection?: Rejection;
  readonly timeline: readonly TimelineEntry[];
  readonly version: number;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** A fact about an order, told with the order as it was right after. */
export interface OrderEvent {
  readonly kind:
    'OrderPlaced' | 'OrderConfirmed' | 'OrderRejected' | 'OrderCancelled' | 'OrderFulfilled' | 'OrderRefunded';
  readonly order: Order;
  readonly tracking?: string;
}

export interface Change {
  readonly order: Order;
  readonly events: readonly OrderEvent[];
}

export type NewOrder = Pick<
  Order,
  'orderId' | 'number' | 'lines' | 'email' | 'shippingAddress' | 'payment' | 'customerId' | 'cartId'
>;

/** An acknowledged order: PENDING until stock and payment are settled. */
export function placeOrder(input: NewOrder, now: Date): Change {
  const order: Order = {
    ...input,
    state: 'PENDING',
    phase: 'CHECKOUT',
    cancelRequested: false,
    total: totalOf(input.lines),
    refundedAmount: 0n,
    timeline: [{ kind: 'PLACED', time: now }],
    version: 1,
    createTime: now,
    updateTime: now,
  };
  return { order, events: [{ kind: 'OrderPlaced', order }] };
}

/**
 * Stock is held and payment authorised. An order that was called off meanwhile is cancelled instead.
 * @param steps what the saga did for it
 */
export function confirmOrder(order: Order, steps: readonly TimelineEntry[], now: Date): Change {
  if (order.cancelRequested) return cancelSettling(order, steps, now);
  return become(order, 'CONFIRMED', { phase: 'DONE' }, [...steps, { kind: 'CONFIRMED', time: now }], now);
}

/** Stock was short or payment was declined. What was held goes back, which is nothing where stock was short. */
export function rejectOrder(order: Order, rejection: Rejection, steps: readonly TimelineEntry[], now: Date): Change {
  const phase = rejection.reason === 'STOCK_SHORT' ? 'DONE' : 'UNDO';
  const timeline: TimelineEntry[] = [
    ...steps,
    { kind: rejection.reason, time: now },
    { kind: 'REJECTED', time: now, detail: rejection.message },
  ];
  return become(order, 'REJECTED', { phase, rejection }, timeline, now);
}

/**
 * Calls an order off. Before its outcome is known this is only noted, and the saga, which alone knows what is under
 * way, carries it out; after that the order is cancelled at once and what it held goes back. Repeating it changes nothing.
 */
export function cancelOrder(order: Order, now: Date): Change {
  if (order.state === 'CANCELLED' || order.cancelRequested) return unchanged(order);
  if (order.state === 'PENDING') {
    return {
      order: advance(order, { cancelRequested: true }, [{ kind: 'CANCEL_REQUESTED', time: now }], now),
      events: [],
    };
  }
  if (!mayBecome(order.state, 'CANCELLED')) throw orderNotCancellable(order.state);
  return become(order, 'CANCELLED', { phase: 'UNDO' }, [{ kind: 'CANCELLED', time: now }], now);
}

/** Carries out a cancellation that was noted while stock and payment were being settled. */
export function cancelSettling(order: Order, steps: readonly TimelineEntry[], now: Date): Change {
  return become(order, 'CANCELLED', { phase: 'UNDO' }, [...steps, { kind: 'CANCELLED', time: now }], now);
}

/** Stock and payment went back: nothing is left to do. */
export function finishUndo(order: Order, steps: readonly TimelineEntry[], now: Date): Change {
  if (order.phase !== 'UNDO') throw new Error(`There is nothing to undo for an order in the phase ${order.phase}.`);
  return { order: advance(order, { phase: 'DONE' }, steps, now), events: [] };
}

/** Gives back once more what an order that ended may hold, since something was found to be left. */
export function undoAgain(order: Order, now: Date): Change {
  const ended = order.state === 'REJECTED' || order.state === 'CANCELLED';
  if (!ended || order.phase !== 'DONE') return unchanged(order);
  return { order: advance(order, { phase: 'UNDO' }, [], now), events: [] };
}

/** The goods were handed to the carrier. Repeating it changes nothing. */
export function fulfillOrder(order: Order, tracking: string, now: Date): Change {
  if (order.state === 'FULFILLED' || order.state === 'REFUNDED') return unchanged(order);
  if (!mayBecome(order.state, 'FULFILLED')) throw orderNotFulfillable(order.state);
  const entry: TimelineEntry = { kind: 'FULFILLED', time: now, ...(tracking && { detail: tracking }) };
  const { order: fulfilled, events } = become(order, 'FULFILLED', {}, [entry], now);
  return { order: fulfilled, events: events.map((event) => ({ ...event, tracking })) };
}

/**
 * The payment was called off by somebody else, or ran out: it will never be paid. A confirmed order is cancelled and its
 * stock goes back; one that is still being settled is left to its saga, which then cancels it. Repeating it changes nothing.
 */
export function losePayment(order: Order, now: Date): Change {
  if (!canLosePayment(order)) return unchanged(order);
  const lost: TimelineEntry = { kind: 'PAYMENT_LOST', time: now };
  if (order.state === 'PENDING') {
    return { order: advance(order, { cancelRequested: true }, [lost], now), events: [] };
  }
  return become(order, 'CANCELLED', { phase: 'UNDO' }, [lost, { kind: 'CANCELLED', time: now }], now);
}

/** What went back to the customer so far. */
export interface Refund {
  /** Minor units; fewer than are known are old news. */
  readonly refundedAmount: bigint;
  /** Whether nothing is left of what was taken. */
  readonly everything: boolean;
}

/**
 * Money went back to the customer. Goods that were sent off stay with him: the order is REFUNDED. One whose goods are still
 * here goes on where a part of the money went back, and is cancelled where all of it did. Repeating it changes nothing.
 * @throws Error where more went back than the order's total
 */
export function refundOrder(order: Order, { refundedAmount, everything }: Refund, now: Date): Change {
  const { total } = order;
  if (refundedAmount > total.amount)
    throw new Error(`${refundedAmount} of ${total.amount} ${total.currency} went back.`);
  if (refundedAmount <= order.refundedAmount) return unchanged(order);
  const repaid = { ...order, refundedAmount };
  if (everything && canLosePayment(order)) return losePayment(repaid, now);
  const detail = `${toDecimal({ ...total, amount: refundedAmount })} ${total.currency} went back so far.`;
  const entry: TimelineEntry = { kind: 'REFUNDED', time: now, detail };
  if (order.state === 'FULFILLED') return become(repaid, 'REFUNDED', {}, [entry], now);
  const next = advance(repaid, {}, [entry], now);
  const isNews = order.state === 'CONFIRMED' || order.state === 'REFUNDED';
  return { order: next, events: isNews ? [{ kind: 'OrderRefunded', order: next }] : [] };
}

/** Not where the order itself gives the money back, or has given its goods away. */
function canLosePayment({ state, cancelRequested }: Order): boolean {
  return state === 'CONFIRMED' || (state === 'PENDING' && !cancelRequested);
}

const EVENT_OF_STATE: Readonly<Record<Exclude<OrderState, 'PENDING'>, OrderEvent['kind']>> = {
  CONFIRMED: 'OrderConfirmed',
  REJECTED: 'OrderRejected',
  CANCELLED: 'OrderCancelled',
  FULFILLED: 'OrderFulfilled',
  REFUNDED: 'OrderRefunded',
};

function become(
  order: Order,
  state: Exclude<OrderState, 'PENDING'>,
  change: Partial<Pick<Order, 'phase' | 'rejection'>>,
  steps: readonly TimelineEntry[],
  now: Date,
): Change {
  if (!mayBecome(order.state, state)) throw new Error(`An order can't go from ${order.state} to ${state}.`);
  // The card's token and the buyer's address have done their work; they are not kept longer than needed.
  const payment = { ...order.payment, token: '', clientDigest: '' };
  const next = advance(order, { ...change, state, payment }, steps, now);
  return { order: next, events: [{ kind: EVENT_OF_STATE[state], order: next }] };
}

function advance(order: Order, change: Partial<Order>, steps: readonly TimelineEntry[], now: Date): Order {
  const timeline = [...order.timeline, ...steps];
  return { ...order, ...change, timeline, version: order.version + 1, updateTime: now };
}

function unchanged(order: Order): Change {
  return { order, events: [] };
}
