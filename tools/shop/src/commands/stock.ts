// stock
import type { Command } from 'commander';
import { action, integer, type Context } from '../context.ts';
import { staffToken, withAccount, type AccountOptions } from '../staff.ts';
import { table } from '../text.ts';

interface Stock {
  sku: string;
  onHand: number;
  held: number;
  available: number;
}

type StockOptions = AccountOptions & { set?: number };

export function addStockCommand(program: Command): void {
  withAccount(program.command('stock'))
    .description('show the stock of a SKU, or set it after a count (staff)')
    .argument('<sku>', 'stock-keeping unit')
    .option('--set <n>', 'units on the shelf, held ones included', integer(0, 1_000_000_000))
    .action(action(stock));
}

async function stock(context: Context, sku: string, options: StockOptions): Promise<void> {
  const path = `/v1/stock/${encodeURIComponent(sku)}`;
  const answer = options.set === undefined ? await context.api.get<Stock>(path) : await set(context, path, options);
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

async function set(context: Context, path: string, options: StockOptions): Promise<Stock> {
  const token = await staffToken(context, options);
  const json = { onHand: options.set };
  return (await context.api.call<Stock>(path, { method: 'PUT', json, ...(token ? { token } : {}) })).data;
}
