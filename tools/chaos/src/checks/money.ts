import type { PaymentRow, ProviderBooks, World } from '../world.ts';
import { SOLD, UNDONE } from './states.ts';
import { countBy, judge, sumBy, type Verdict } from './verdict.ts';

type Intent = ProviderBooks['payment_intents'][number];

export function checkMoney(world: World): Verdict[] {
  return [amountsFit(world), booksAgree(world), paidIsSold(world), undoneIsFree(world)];
}

function amountsFit({ payments, books }: World): Verdict {
  return judge('I7', 'captured <= authorised, refunded <= captured, one payment per order', (expect) => {
    for (const { order_id, amount, captured_amount: captured, refunded_amount: refunded } of payments) {
      const fits = captured <= amount && refunded <= captured && refunded >= 0;
      expect(fits, () => `order ${order_id}: ${amount} authorised, ${captured} captured, ${refunded} refunded`);
    }
    for (const [order, count] of countBy(payments, ({ order_id }) => order_id)) {
      expect(count === 1, () => `order ${order} has ${count} payments`);
    }
    const refunds = sumBy(
      books.refunds,
      ({ payment_intent }) => payment_intent,
      ({ amount }) => amount,
    );
    for (const { id, amount, amount_received: received } of books.payment_intents) {
      const back = refunds.get(id) ?? 0;
      expect(received <= amount && back <= received, () => `${id}: ${amount}, ${received} taken, ${back} given back`);
    }
  });
}

/** Every charge at the provider has its payment, and the reverse. */
function booksAgree({ payments, books, orders }: World): Verdict {
  return judge('I8', "the provider's books are the shop's: nobody is charged twice", (expect) => {
    const account = accountOf(books);
    const byReference = new Map(payments.map((payment) => [payment.provider_reference, payment]));
    const intents = new Map(books.payment_intents.map((intent) => [intent.id, intent]));
    for (const intent of books.payment_intents) {
      const { kept, held } = account(intent);
      const payment = byReference.get(intent.id);
      const name = `${intent.id} of order ${orderOf(intent)}`;
      if (!payment) expect(kept + held === 0, () => `${name} holds ${kept + held} that no payment accounts for`);
    }
    for (const payment of payments) {
      if (payment.method !== 'card' || payment.state === 'DECLINED') continue;
      const intent = intents.get(payment.provider_reference);
      if (!intent) {
        const { state } = payment;
        expect(state === 'VOIDED', () => `order ${payment.order_id}: ${state}, and the provider knows nothing of it`);
      } else expectSame(payment, intent, account(intent), expect);
    }
    const stored = new Set(orders.map(({ order_id }) => order_id));
    for (const intent of books.payment_intents) {
      expect(stored.has(orderOf(intent)), () => `${intent.id} pays for ${orderOf(intent)}, which is no order`);
    }
  });
}

function expectSame(
  payment: PaymentRow,
  intent: Intent,
  { taken, back, held }: ReturnType<ReturnType<typeof accountOf>>,
  expect: (holds: boolean, otherwise: () => string) => void,
): void {
  const ours = `${payment.state}, ${payment.captured_amount} captured, ${payment.refunded_amount} refunded`;
  const theirs = `${intent.status}, ${held} held, ${taken} captured, ${back} refunded`;
  const agrees =
    payment.captured_amount === taken &&
    payment.refunded_amount === back &&
    held > 0 === (payment.state === 'AUTHORIZED') &&
    payment.amount === intent.amount &&
    payment.currency.toLowerCase() === intent.currency;
  expect(agrees, () => `order ${payment.order_id}: here ${ours}; at the provider (${intent.id}) ${theirs}`);
}

function paidIsSold({ orders, payments, books }: World): Verdict {
  return judge('I9', 'each sold order is paid once, in full; whoever paid gets the goods', (expect) => {
    const { keptFor, chargesFor } = byOrder(books);
    const paymentOf = new Map(payments.map((payment) => [payment.order_id, payment]));
    for (const order of orders.filter(({ state }) => SOLD.includes(state))) {
      const { order_id, total_amount: total } = order;
      const payment = paymentOf.get(order_id);
      const secured = securedBy(payment);
      expect(secured === total, () => `order ${order_id} (${order.state}) costs ${total}, ${secured} is paid`);
      const given = order.refunded_amount ?? payment?.refunded_amount ?? 0;
      const refunded = payment?.refunded_amount ?? 0;
      expect(given === refunded, () => `order ${order_id} says ${given} was refunded, its payment ${refunded}`);
      if (order.payment_method !== 'card') continue;
      const kept = keptFor.get(order_id) ?? 0;
      expect(kept === total - refunded, () => `order ${order_id} costs ${total}, the provider keeps ${kept} for it`);
      const charges = chargesFor.get(order_id) ?? 0;
      expect(charges === 1, () => `order ${order_id} has ${charges} captured charges at the provider`);
    }
  });
}

/** What is paid by hand comes in when it comes in. */
function securedBy(payment: PaymentRow | undefined): number {
  if (!payment) return 0;
  return payment.method === 'manual' && payment.state === 'AUTHORIZED' ? payment.amount : payment.captured_amount;
}

function undoneIsFree({ orders, payments, books }: World): Verdict {
  return judge('I10', 'refused and cancelled orders keep no money', (expect) => {
    const { keptFor, heldFor } = byOrder(books);
    const paymentOf = new Map(payments.map((payment) => [payment.order_id, payment]));
    for (const order of orders.filter(({ state }) => UNDONE.includes(state))) {
      const { order_id, state } = order;
      const kept = (keptFor.get(order_id) ?? 0) + (heldFor.get(order_id) ?? 0);
      expect(kept === 0, () => `order ${order_id} is ${state}, and the provider keeps ${kept} for it`);
      const payment = paymentOf.get(order_id);
      expect(isUndone(payment), () => `order ${order_id} is ${state}, its payment ${payment?.state}`);
    }
  });
}

function isUndone(payment: PaymentRow | undefined): boolean {
  if (!payment) return true;
  if (payment.captured_amount > payment.refunded_amount) return false;
  return ['DECLINED', 'VOIDED', 'REFUNDED'].includes(payment.state);
}

function orderOf({ metadata }: Intent): string {
  return metadata['souk_order_id'] ?? '';
}

/** What the provider took, gave back, keeps and holds of an intent. */
function accountOf({ charges }: ProviderBooks) {
  const byIntent = Map.groupBy(charges, ({ payment_intent }) => payment_intent);
  return ({ id, status, amount }: Intent) => {
    const own = (byIntent.get(id) ?? []).filter((charge) => charge.status === 'succeeded');
    const taken = own.reduce((sum, charge) => sum + charge.amount_captured, 0);
    const back = own.reduce((sum, charge) => sum + charge.amount_refunded, 0);
    return { taken, back, kept: taken - back, held: status === 'requires_capture' ? amount : 0 };
  };
}

function byOrder(books: ProviderBooks) {
  const account = accountOf(books);
  const { payment_intents: intents } = books;
  return {
    keptFor: sumBy(intents, orderOf, (intent) => account(intent).kept),
    heldFor: sumBy(intents, orderOf, (intent) => account(intent).held),
    chargesFor: sumBy(intents, orderOf, (intent) => (account(intent).taken > 0 ? 1 : 0)),
  };
}
