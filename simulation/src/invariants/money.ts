/** Never charged twice: the provider's books and the shop's tell the same, and both what became of the orders. */
import type { Charge, PaymentIntent } from '#sandbox-psp/ledger';
import type { World } from '../world.ts';
import { rowsOf, SOLD_STATES, type LedgerRow, type OrderRow, type PaymentRow } from './rows.ts';
import { require } from './violation.ts';

/** What the provider holds of one intent. */
interface Held {
  readonly intent: PaymentIntent;
  readonly taken: number;
  readonly returned: number;
  /** Set aside and not taken yet. */
  readonly reserved: number;
}

export function checkMoney(world: World): void {
  const payments = rowsOf<PaymentRow>(world, 'payments', 'payments');
  const orders = new Map(rowsOf<OrderRow>(world, 'orders', 'orders').map((order) => [order.order_id, order]));
  const atProvider = Map.groupBy(heldBy(world), ({ intent }) => intent.metadata['souk_payment_id'] ?? '');
  const entries = Map.groupBy(rowsOf<LedgerRow>(world, 'payments', 'ledger'), (entry) => entry.payment_id);
  checkOneEach(payments);
  for (const payment of payments) {
    checkAmounts(payment);
    checkLedger(payment, entries.get(payment.payment_id) ?? []);
    const order = orders.get(payment.order_id);
    require(order !== undefined, 'I8', () => `payment ${payment.payment_id} is of no order`);
    checkBooks(payment, atProvider.get(payment.payment_id) ?? []);
    checkOutcome(order, payment);
    atProvider.delete(payment.payment_id);
  }
  for (const held of [...atProvider.values()].flat()) {
    const { intent } = held;
    require(netOf(held) === 0, 'I8', () => `the provider holds money of ${intent.id}, which no payment knows`);
  }
  const unpaid = [...orders.values()].find((order) => isUnpaid(order, payments));
  require(!unpaid, 'I9', () => `order ${unpaid?.order_id} is ${unpaid?.state} and has no payment`);
}

function heldBy({ provider }: World): Held[] {
  const { intents, charges } = provider.ledger;
  return [...intents.values()].map((intent) => {
    const charge: Charge | undefined = charges.get(intent.latest_charge ?? '');
    const taken = charge?.amount_captured ?? 0;
    const returned = taken === 0 ? 0 : (charge?.amount_refunded ?? 0);
    return { intent, taken, returned, reserved: intent.amount_capturable };
  });
}

function netOf({ taken, returned, reserved }: Held): number {
  return taken - returned + reserved;
}

function checkOneEach(payments: readonly PaymentRow[]): void {
  for (const [orderId, same] of Map.groupBy(payments, ({ order_id: id }) => id)) {
    require(same.length === 1, 'I8', () => `order ${orderId} has ${same.length} payments`);
  }
}

/** Also true in the middle of a run. */
export function checkAmounts(payment: PaymentRow): void {
  const { payment_id: id, amount, captured_amount: captured, refunded_amount: refunded } = payment;
  const isCapped = refunded >= 0n && refunded <= captured && captured <= amount;
  require(isCapped, 'I7', () => `payment ${id}: ${refunded} refunded of ${captured} captured of ${amount}`);
}

/** What was taken and given back is what was booked. */
function checkLedger(payment: PaymentRow, entries: readonly LedgerRow[]): void {
  const { payment_id: id, captured_amount: captured, refunded_amount: refunded } = payment;
  const booked = (what: string) =>
    entries.filter(({ cause }) => cause.startsWith(what)).reduce((sum, { amount }) => sum + amount, 0n);
  const isSame = booked('capture:') === captured && booked('refund:') === refunded;
  require(isSame, 'I8', () => {
    return `payment ${id}: ${captured} were taken and ${refunded} returned, of which ${booked('capture:')} and ${booked('refund:')} are booked`;
  });
}

/** Each charge at the provider is this payment's, and it took what this payment says. */
function checkBooks(payment: PaymentRow, held: readonly Held[]): void {
  const { payment_id: id, state } = payment;
  const charged = held.filter(({ taken }) => taken > 0);
  require(charged.length <= 1, 'I8', () => `payment ${id} was charged ${charged.length} times`);
  if (payment.method !== 'card') return;
  const [taken, returned] = [sum(held, 'taken'), sum(held, 'returned')];
  const isSame = BigInt(taken) === payment.captured_amount && BigInt(returned) === payment.refunded_amount;
  require(isSame, 'I8', () => {
    const { captured_amount: captured, refunded_amount: refunded } = payment;
    return `payment ${id}: the provider took ${taken} and returned ${returned}, the books say ${captured} and ${refunded}`;
  });
  const reserved = sum(held, 'reserved');
  const isReserved = state === 'AUTHORIZED';
  require(reserved === 0 || isReserved, 'I8', () => `payment ${id} is ${state}, and ${reserved} are set aside for it`);
}

function checkOutcome({ order_id: orderId, state, total_amount: total }: OrderRow, payment: PaymentRow): void {
  const net = payment.captured_amount - payment.refunded_amount;
  if (SOLD_STATES.includes(state)) {
    require(payment.amount === total, 'I7', () =>
      `order ${orderId} costs ${total}, its payment is over ${payment.amount}`);
    const isPaid = payment.method === 'manual' ? payment.state !== 'VOIDED' : payment.captured_amount === total;
    require(isPaid, 'I9', () => `order ${orderId} is ${state}, its payment ${payment.state} with ${net} of ${total}`);
    return;
  }
  const isBack = net === 0n && payment.state !== 'AUTHORIZED' && payment.state !== 'PROCESSING';
  require(isBack, 'I10', () => `order ${orderId} is ${state}, its payment ${payment.state} with ${net}`);
}

function isUnpaid({ order_id: orderId, state }: OrderRow, payments: readonly PaymentRow[]): boolean {
  return SOLD_STATES.includes(state) && !payments.some((payment) => payment.order_id === orderId);
}

function sum(held: readonly Held[], what: 'taken' | 'returned' | 'reserved'): number {
  return held.reduce((total, one) => total + one[what], 0);
}
