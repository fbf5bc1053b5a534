// An order for people.
import type { Output } from './output.ts';
import { plain, price, table, type Price } from './text.ts';

export interface Order {
  id: string;
  number: string;
  state: string;
  lines: { sku: string; title: string; quantity: number; unitPrice: Price; total: Price }[];
  total?: Price;
  refunded?: Price;
  email: string;
  createdAt: string;
  updatedAt: string;
  rejection?: { reason: string; message: string; shortages?: Shortage[] } | null;
  /** Only in the answer that made a guest's order. */
  accessToken?: string;
}

export interface Shortage {
  sku: string;
  requested: number;
  available: number;
}

const STYLES = {
  CONFIRMED: 'green',
  FULFILLED: 'green',
  REJECTED: 'red',
  CANCELLED: 'yellow',
  REFUNDED: 'yellow',
} as const;

export function orderText(order: Order, output: Output): string {
  const style = STYLES[order.state as keyof typeof STYLES] ?? 'bold';
  const head = `Order ${plain(order.number)}  ${output.style(style, plain(order.state))}\n${output.style('dim', plain(order.id))}`;
  const lines = table(order.lines, [
    { title: 'SKU', value: ({ sku }) => sku, max: 28 },
    { title: 'ITEM', value: ({ title }) => title, max: 40 },
    { title: 'UNITS', value: ({ quantity }) => String(quantity), align: 'right' },
    { title: 'PRICE', value: ({ unitPrice }) => price(unitPrice), align: 'right' },
    { title: 'TOTAL', value: ({ total }) => price(total), align: 'right' },
  ]);
  const total = order.total ? `Total: ${output.style('bold', price(order.total))}` : '';
  const refunded = order.refunded?.amount ? `Given back: ${price(order.refunded)}` : '';
  const refusal = order.rejection ? `${plain(order.rejection.message)} (${plain(order.rejection.reason)})` : '';
  const shortages = order.rejection?.shortages?.length ? shortageTable(order.rejection.shortages) : '';
  return [head, lines, total, refunded, refusal, shortages].filter((part) => part !== '').join('\n\n');
}

export function shortageTable(shortages: readonly Shortage[]): string {
  return table(shortages, [
    { title: 'SKU', value: ({ sku }) => sku },
    { title: 'WANTED', value: ({ requested }) => String(requested), align: 'right' },
    { title: 'AVAILABLE', value: ({ available }) => String(available), align: 'right' },
  ]);
}

export function ordersTable(orders: readonly Order[]): string {
  return table(orders, [
    { title: 'NUMBER', value: ({ number }) => number },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'TOTAL', value: ({ total }) => (total ? price(total) : ''), align: 'right' },
    { title: 'PLACED', value: ({ createdAt }) => createdAt.slice(0, 16).replace('T', ' ') },
    { title: 'ID', value: ({ id }) => id },
  ]);
}
