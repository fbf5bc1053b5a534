// buy
import type { Command } from 'commander';
import { action, type Context } from '../context.ts';
import { EXIT, ProblemError, usageError } from '../exit-codes.ts';
import { sendOnce } from '../once.ts';
import { orderText, shortageTable, type Order } from '../order-text.ts';
import { plain } from '../text.ts';

interface BuyOptions {
  email?: string;
  card: string;
  invoice?: boolean;
  name: string;
  address: string;
  city: string;
  postalCode: string;
  country: string;
}

export interface Line {
  sku: string;
  quantity: number;
}

/** The order waits for its outcome inside Souk; the connection a little longer. */
const TIMEOUT_MS = 60_000;

export function addBuyCommand(program: Command): void {
  program
    .command('buy')
    .description('place an order; repeated after a lost answer, it is still placed once')
    .argument('<sku[=quantity]...>', 'what to buy, for example LAN-BRS-S=2')
    .option('--email <email>', "where mails go (default: the login's address)")
    .option('--card <token>', 'card token of the payment provider', 'pm_card_visa')
    .option('--invoice', 'pay by invoice instead')
    .option('--name <name>', 'who receives it', 'Noor Haddad')
    .option('--address <line>', 'street and number', '12 Market Lane')
    .option('--city <city>', 'city or town', 'Berlin')
    .option('--postal-code <code>', 'postal code', '10115')
    .option('--country <code>', 'country, two letters', 'DE')
    .action(action(buy));
}

async function buy(context: Context, items: string[], options: BuyOptions): Promise<void> {
  const { api, state, output } = context;
  const login = state.login(api.url);
  const email = options.email ?? login?.email;
  if (!email) throw usageError('Give --email, or log in.');
  const placed = await place(context, orderOf(items, email, options), login?.email);
  if (placed.accessToken && !login) state.setOrderToken(placed.id, placed.accessToken);
  output.result(placed, () => orderText(placed, output));
  if (placed.state === 'PENDING') output.note(`Not settled yet: npm run shop -- follow ${plain(placed.id)}`);
  if (placed.state === 'REJECTED') process.exitCode = EXIT.refused;
}

async function place(context: Context, json: unknown, as: string | undefined): Promise<Order> {
  try {
    const write = { method: 'POST', path: '/v1/orders', json, as, timeoutMs: TIMEOUT_MS } as const;
    return (await sendOnce<Order>(context, write)).data;
  } catch (error) {
    const shortages = error instanceof ProblemError ? (error.problem.shortages ?? []) : [];
    if (shortages.length > 0 && !context.output.json) context.output.note(shortageTable(shortages));
    throw error;
  }
}

function orderOf(items: string[], email: string, options: BuyOptions) {
  const { name, address: line1, city, postalCode, country } = options;
  return {
    lines: items.map(parseLine),
    email,
    shippingAddress: { name, line1, city, postalCode, country },
    payment: options.invoice ? { method: 'manual' } : { method: 'card', token: options.card },
  };
}

/** `SKU=2`; a SKU may contain an equals sign itself. */
export function parseLine(item: string): Line {
  const [, sku = item, quantity = '1'] = /^(.*)=([^=]*)$/.exec(item) ?? [];
  if (sku === '' || !/^[1-9]\d{0,4}$/.test(quantity)) {
    throw usageError(`"${item}" is not a SKU with a quantity, for example LAN-BRS-S=2.`);
  }
  return { sku, quantity: Number(quantity) };
}
