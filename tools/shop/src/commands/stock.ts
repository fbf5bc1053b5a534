// stock
import type { Command } from 'commander';
import { action, integer, type Context } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { sendOnce } from '../once.ts';
import { asStaff, withAccount, type AccountOptions } from '../staff.ts';
import { table } from '../text.ts';

interface Stock {
  sku: string;
  onHand: number;
  held: number;
  available: number;
}

type StockOptions = AccountOptions & { set?: number; adjust?: number; reason?: string };

const MOST_UNITS = 1_000_000_000;

export function addStockCommand(program: Command): void {
  withAccount(program.command('stock'))
    .description('show the stock of a SKU, set it after a count, or add and take off units (staff)')
    .argument('<sku>', 'stock-keeping unit')
    .option('--set <n>', 'units on the shelf, held ones included', integer(0, MOST_UNITS))
    .option('--adjust <n>', 'units that came in, or went where it is negative', integer(-MOST_UNITS, MOST_UNITS))
    .option('--reason <text>', 'why they came or went')
    .action(action(stock));
}

async function stock(context: Context, sku: string, options: StockOptions): Promise<void> {
  const answer = await changedOrRead(context, `/v1/stock/${encodeURIComponent(sku)}`, options);
  context.output.result(answer, () =>
    table<Stock>(
      [answer],
      [
        { title: 'SKU', value: (shelf) => shelf.sku },
        { title: 'ON HAND', value: ({ onHand }) => String(onHand), align: 'right' },
        { title: 'HELD', value: ({ held }) => String(held), align: 'right' },
        { title: 'AVAILABLE', value: ({ available }) => String(available), align: 'right' },
      ],
    ),
  );
}

async function changedOrRead(context: Context, path: string, options: StockOptions): Promise<Stock> {
  const { set, adjust, reason } = options;
  if (set !== undefined && adjust !== undefined) throw usageError('Give --set or --adjust, not both.');
  if (set === undefined && adjust === undefined) return context.api.get<Stock>(path);
  const staff = await asStaff(context, options);
  if (adjust === undefined) {
    // A count may be sent again: it says what is there, and a later one with the same number is another count.
    return (await context.api.call<Stock>(path, { method: 'PUT', json: { onHand: set }, ...staff })).data;
  }
  const json = { delta: adjust, reason };
  return (await sendOnce<Stock>(context, { method: 'POST', path: `${path}/adjustments`, json, ...staff })).data;
}
