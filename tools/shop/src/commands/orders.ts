// order, orders, cancel, fulfill, follow
import type { Command } from 'commander';
import { action, integer, type Context } from '../context.ts';
import { CommandError, EXIT, ProblemError } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { sendOnce } from '../once.ts';
import { orderText, ordersTable, type Order } from '../order-text.ts';
import { asStaff, withAccount, type AccountOptions } from '../staff.ts';
import { plain } from '../text.ts';

interface Page {
  items: Order[];
  nextCursor: string | null;
}

export function addOrderCommands(program: Command): void {
  const withId = (name: string, description: string): Command =>
    program.command(name).description(description).argument('<id>', 'identifier of the order');
  withId('order', 'show an order').action(action(order));
  withId('follow', 'show an order as it changes, until it ends').action(action(followOrder));
  withAccount(withId('cancel', 'call an order off')).action(action(cancel));
  withAccount(withId('fulfill', 'mark an order as handed to the carrier (staff)'))
    .option('--tracking <text>', "carrier's tracking number or address")
    .action(action(fulfill));
  program
    .command('orders')
    .description("list your orders, newest first; staff sees everybody's")
    .option('--limit <n>', 'most orders to show', integer(1, 100), 20)
    .option('--cursor <cursor>', 'where the page before ended')
    .action(action(orders));
}

async function order({ api, state, output }: Context, id: string): Promise<void> {
  const found = await api.get<Order>(pathOf(id), authorisation(state, id));
  output.result(found, () => orderText(found, output));
}

async function orders({ api, output }: Context, options: { limit: number; cursor?: string }): Promise<void> {
  const parameters = new URLSearchParams({ limit: String(options.limit) });
  if (options.cursor) parameters.set('cursor', options.cursor);
  const page = await api.get<Page>(`/v1/orders?${parameters.toString()}`);
  output.result(page, () => (page.items.length === 0 ? 'No orders.' : ordersTable(page.items)));
  if (page.nextCursor && !output.json) output.note(`There are more: --cursor ${plain(page.nextCursor)}`);
}

async function cancel(context: Context, id: string, options: AccountOptions): Promise<void> {
  const write = { method: 'POST', path: `${pathOf(id)}/cancel`, ...(await canceller(context, id, options)) } as const;
  const { data } = await sendOnce<Order>(context, write);
  context.output.result(data, () => orderText(data, context.output));
}

async function fulfill(context: Context, id: string, options: AccountOptions & { tracking?: string }): Promise<void> {
  const { tracking } = options;
  const write = { method: 'POST', path: `${pathOf(id)}/fulfill`, json: { tracking } } as const;
  const { data } = await sendOnce<Order>(context, { ...write, ...(await asStaff(context, options)) });
  context.output.result(data, () => orderText(data, context.output));
}

async function followOrder(context: Context, id: string): Promise<void> {
  const { state, output } = context;
  const isPending = (data: unknown) => orderIn(data)?.state === 'PENDING';
  const events = follow(context.api, `${pathOf(id)}/events`, authorisation(state, id), isPending);
  let last: Order | undefined;
  for await (const { event, data } of events) {
    last = orderIn(data) ?? last;
    output.result({ event, data }, () => eventText(event, data));
  }
  if (last?.state === 'REJECTED') throw new CommandError('The order was refused.', EXIT.refused);
}

function eventText(event: string, data: unknown): string {
  const order = orderIn(data);
  if (!order) return `${plain(event)}  ${plain(JSON.stringify(data))}`;
  const reason = order.rejection ? `  ${plain(order.rejection.message)}` : '';
  return `${plain(order.updatedAt)}  ${plain(order.state)}${reason}`;
}

function orderIn(data: unknown): Order | undefined {
  return typeof data === 'object' && data !== null && 'state' in data ? (data as Order) : undefined;
}

/** A guest's order is read with the token that its creation returned; everything else with the login. */
function authorisation(state: Context['state'], id: string): { token?: string } {
  const token = state.orderToken(id);
  return token ? { token } : {};
}

/** Who is nobody else, neither a guest with an order of his own nor logged in, calls an order off as staff. */
async function canceller(context: Context, id: string, options: AccountOptions): Promise<{ token?: string }> {
  const { api, state } = context;
  const named = options.email !== undefined || options.password !== undefined;
  if (!named && (state.orderToken(id) || state.login(api.url))) return authorisation(state, id);
  return asStaff(context, options);
}

function pathOf(id: string): string {
  if (id === '') throw new ProblemError({ status: 404, detail: 'There is no such order.', reason: 'ORDER_NOT_FOUND' });
  return `/v1/orders/${encodeURIComponent(id)}`;
}
