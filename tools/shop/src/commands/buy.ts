// buy
import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { action, type Context } from '../context.ts';
import { EXIT, ProblemError, usageError } from '../exit-codes.ts';
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
/** Answers that leave open whether the order was placed. */
const UNKNOWN_OUTCOME = [408, 425, 429];

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
  const order = orderOf(items, email, options);
  const fingerprint = fingerprintOf([api.url, login?.email ?? '', order]);
  const { key, repeated } = state.keyFor(fingerprint, Date.now());
  if (repeated) output.note('The same order was sent before and not answered: sending it again with the same key.');
  const placed = await place(context, order, key, fingerprint);
  if (placed.accessToken && !login) state.setOrderToken(placed.id, placed.accessToken);
  output.result(placed, () => orderText(placed, output));
  if (placed.state === 'PENDING') output.note(`Not settled yet: npm run shop -- follow ${plain(placed.id)}`);
  if (placed.state === 'REJECTED') process.exitCode = EXIT.refused;
}

async function place({ api, state, output }: Context, json: unknown, key: string, order: string): Promise<Order> {
  try {
    const call = { method: 'POST', json, headers: { 'idempotency-key': key }, timeoutMs: TIMEOUT_MS } as const;
    const { data } = await api.call<Order>('/v1/orders', call);
    state.answered(order);
    return data;
  } catch (error) {
    if (error instanceof ProblemError && isAnswer(error)) {
      state.answered(order);
      if (error.problem.shortages?.length && !output.json) output.note(shortageTable(error.problem.shortages));
    } else {
      output.note('There is no telling whether the order was placed. Repeat the command: it is placed once.');
    }
    throw error;
  }
}

function isAnswer({ problem: { status } }: ProblemError): boolean {
  return status < 500 && !UNKNOWN_OUTCOME.includes(status);
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

function fingerprintOf(order: unknown): string {
  return createHash('sha256').update(JSON.stringify(order)).digest('hex');
}
