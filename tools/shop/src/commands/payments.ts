// payment, capture, refund
import { parseDecimal } from '@souk/money';
import type { Command } from 'commander';
import { action, type Context } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { sendOnce } from '../once.ts';
import { asStaff, withAccount, type AccountOptions } from '../staff.ts';
import { plain, price, table, type Price } from '../text.ts';

interface Refund {
  id: string;
  amount: Price;
  state: string;
  reason?: string;
  createdAt: string;
}

interface Payment {
  state: string;
  method: string;
  amount: Price;
  captured: Price;
  refunded: Price;
  disputed: Price;
  refunds: Refund[];
}

type CaptureOptions = AccountOptions & { amount?: string; moreToCome?: boolean };
type RefundOptions = AccountOptions & { amount?: string; reason?: string };

export function addPaymentCommands(program: Command): void {
  const withId = (name: string, description: string): Command =>
    withAccount(program.command(name).description(description).argument('<id>', 'identifier of the order'));
  withId('payment', 'show what was paid for an order and what went back (staff)').action(action(payment));
  withId('capture', 'take the authorised money of an order (staff)')
    .option('--amount <amount>', 'how much, for example 12.50 (default: all that is left)')
    .option('--more-to-come', 'keep the rest of the authorisation for later')
    .action(action(capture));
  withId('refund', 'give the money of an order back (staff); repeated after a lost answer, it still goes back once')
    .option('--amount <amount>', 'how much, for example 12.50 (default: all that is left)')
    .option('--reason <text>', 'why')
    .action(action(refund));
}

async function payment(context: Context, id: string, options: AccountOptions): Promise<void> {
  show(context, await context.api.get<Payment>(pathOf(id, 'payment'), await asStaff(context, options)));
}

async function capture(context: Context, id: string, options: CaptureOptions): Promise<void> {
  const staff = await asStaff(context, options);
  const json = { amount: await minorUnits(context, id, options.amount, staff), moreToCome: options.moreToCome };
  const write = { method: 'POST', path: pathOf(id, 'captures'), json, ...staff } as const;
  const { status, data } = await sendOnce<Payment>(context, write);
  show(context, data);
  if (status === 202) noteUnderWay(context, id);
}

async function refund(context: Context, id: string, options: RefundOptions): Promise<void> {
  const staff = await asStaff(context, options);
  const json = { amount: await minorUnits(context, id, options.amount, staff), reason: options.reason };
  const write = { method: 'POST', path: pathOf(id, 'refunds'), json, ...staff } as const;
  const { status, data } = await sendOnce<Refund>(context, write);
  context.output.result(data, () => refundsTable([data]));
  if (status === 202) noteUnderWay(context, id);
}

/** An amount as people write it in the currency of the order. */
async function minorUnits({ api }: Context, id: string, text: string | undefined, staff: { token?: string }) {
  if (text === undefined) return undefined;
  const { amount } = await api.get<Payment>(pathOf(id, 'payment'), staff);
  try {
    return Number(parseDecimal(text, amount.currency).amount);
  } catch (error) {
    throw error instanceof Error ? usageError(error.message) : error;
  }
}

function show({ output }: Context, paid: Payment): void {
  output.result(paid, () => {
    const sums = table(
      [paid],
      [
        { title: 'STATE', value: ({ state }) => state },
        { title: 'METHOD', value: ({ method }) => method },
        { title: 'TO PAY', value: ({ amount }) => price(amount), align: 'right' },
        { title: 'TAKEN', value: ({ captured }) => price(captured), align: 'right' },
        { title: 'GIVEN BACK', value: ({ refunded }) => price(refunded), align: 'right' },
        { title: 'DISPUTED', value: ({ disputed }) => price(disputed), align: 'right' },
      ],
    );
    return paid.refunds.length > 0 ? `${sums}\n\n${refundsTable(paid.refunds)}` : sums;
  });
}

function refundsTable(refunds: readonly Refund[]): string {
  return table(refunds, [
    { title: 'REFUND', value: ({ id }) => id },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'AMOUNT', value: ({ amount }) => price(amount), align: 'right' },
    { title: 'REASON', value: ({ reason }) => reason ?? '' },
  ]);
}

function noteUnderWay({ output }: Context, id: string): void {
  output.note(`The provider has not answered yet; Souk sees it through: npm run shop -- payment ${plain(id)}`);
}

function pathOf(id: string, what: string): string {
  return `/v1/orders/${encodeURIComponent(id)}/${what}`;
}
