import type { PaymentRow, ProviderBooks, World } from '../world.ts';
import { SOLD, UNDONE } from './states.ts';
import { countBy, judge, sumBy, type Verdict } from './verdict.ts';

type Intent = ProviderBooks['payment_intents'][number];

export function checkMoney(world: World): Verdict[] {
  return [amountsFit(world), booksAgree(world), paidIsSold(world), undoneIsFree(world), everyPartOnce(world)];
}

/** Refunds that count against what was captured. */
const SETTLED: readonly string[] = ['succeeded', 'pending'];

function amountsFit({ payments, books }: World): Verdict {
  return judge('I7', 'captured <= authorised, refunded <= captured, one payment per order', (expect) => {
    for (const { order_id, amount, captured_amount: captured, refunded_amount: refunded } of payments) {
      const fits = captured <= amount && refunded <= captured && refunded >= 0;
      expect(fits, () => `order ${order_id}: ${amount} authorised, ${captured} captured, ${refunded} refunded`);
    }
    for (const [order, count] of countBy(payments, ({ order_id }) => order_id)) {
      expect(count === 1, () => `order ${order} has ${count} payments`);
    }
    const back = sumBy(
      books.refunds.filter(({ status }) => SETTLED.includes(status)),
      ({ payment_intent }) => payment_intent,
      ({ amount }) => amount,
    );
    for (const { id, amount, amount_received: received } of books.payment_intents) {
      const given = back.get(id) ?? 0;
      expect(received <= amount && given <= received, () => `${id}: ${amount}, ${received} taken, ${given} given back`);
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
    for (const [order, count] of byOrder(books).chargesEver) {
      expect(count <= 1, () => `order ${order} was charged ${count} times, whatever was given back of it since`);
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
      const refunded = payment?.refunded_amount ?? 0;
      const given = order.refunded_amount;
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
  const { payment_intents: intents, charges } = books;
  const charged = new Set(charges.flatMap((charge) => (charge.status === 'succeeded' ? [charge.payment_intent] : [])));
  return {
    keptFor: sumBy(intents, orderOf, (intent) => account(intent).kept),
    heldFor: sumBy(intents, orderOf, (intent) => account(intent).held),
    chargesEver: sumBy(intents, orderOf, ({ id }) => (charged.has(id) ? 1 : 0)),
    chargesFor: sumBy(intents, orderOf, (intent) => (account(intent).taken > 0 ? 1 : 0)),
  };
}

/** Each capture and refund is booked once, here and at the provider, and each key that asked for one got one. */
function everyPartOnce({ payments, captures, refunds, ledger, books, operations }: World): Verdict {
  return judge('I8', 'captures, refunds and double entry sum to the payment; one refund per key', (expect) => {
    const done = <T extends { state: string }>(rows: readonly T[]) => rows.filter(({ state }) => state === 'SUCCEEDED');
    const sum = (rows: readonly { payment_id: string; amount: number }[]) =>
      sumBy(
        rows,
        ({ payment_id }) => payment_id,
        ({ amount }) => amount,
      );
    const [taken, back] = [sum(done(captures)), sum(done(refunds))];
    const [booked, unbooked] = [
      sum(ledger.filter(({ debit }) => debit.startsWith('clearing'))),
      sum(ledger.filter(({ credit }) => credit.startsWith('clearing'))),
    ];
    for (const { payment_id, order_id, captured_amount: captured, refunded_amount: refunded } of payments) {
      const parts = [taken, back, booked, unbooked].map((sums) => sums.get(payment_id) ?? 0);
      const agree = parts.join() === [captured, refunded, captured, refunded].join();
      expect(agree, () => `order ${order_id}: ${captured}, ${refunded}; parts and ledger ${parts.join(', ')}`);
    }
    const atProvider = new Map(books.refunds.map((refund) => [refund.id, refund]));
    const known = countBy(done(refunds), ({ provider_reference }) => provider_reference);
    for (const { refund_id, provider_reference: reference, amount } of done(refunds)) {
      const theirs = reference === '' ? amount : atProvider.get(reference)?.amount;
      expect(theirs === amount, () => `the refund ${refund_id} is ${amount}, at the provider (${reference}) ${theirs}`);
    }
    for (const { id, payment_intent, amount } of books.refunds.filter(({ status }) => status === 'succeeded')) {
      const count = known.get(id) ?? 0;
      expect(
        count === 1,
        () => `the provider gave ${amount} of ${payment_intent} back (${id}); ${count} refunds know it`,
      );
    }
    const asked = operations.filter(({ kind, refundId }) => kind === 'refund order' && refundId !== undefined);
    const stored = new Map(refunds.map((refund) => [refund.refund_id, refund]));
    for (const [key, told] of Map.groupBy(asked, (operation) => operation.key ?? '')) {
      const ids = new Set(told.map(({ refundId }) => refundId));
      const [{ refundId = '', amount = 0 } = {}] = told;
      expect(ids.size === 1, () => `the key ${key} was answered with the refunds ${[...ids].join(', ')}`);
      expect(stored.get(refundId)?.amount === amount, () => `the refund ${refundId} of ${amount} is not in the books`);
    }
  });
}
