// What a customer is told about an order. Pure. Whatever customers or the catalogue wrote is text, see mail-text.ts.
import { formatMoney, type Money } from '@souk/money';
import type { Order, OrderLine } from '@souk/proto/orders/v1';
import type { Address } from '@souk/proto/type/v1';
import { escapeHtml, greeting, htmlMail, oneLine, textMail, wrapped, type MailText } from './mail-text.js';

/** What a mail is about. */
export type NotificationKind = 'ORDER_CONFIRMED' | 'ORDER_REJECTED' | 'ORDER_CANCELLED' | 'ORDER_FULFILLED';

/** The facts of a mail. */
export interface OrderNews {
  readonly kind: NotificationKind;
  readonly order: Order;
  /** Carrier's tracking number or address; empty where there is none. */
  readonly tracking: string;
}

const HEADLINES: Record<NotificationKind, string> = {
  ORDER_CONFIRMED: 'is confirmed',
  ORDER_REJECTED: 'could not be accepted',
  ORDER_CANCELLED: 'is cancelled',
  ORDER_FULFILLED: 'is on its way',
};

/** One line, for example `Your order S7K2-M9QX is confirmed`. */
export function subjectOf(kind: NotificationKind, orderNumber: string): string {
  return `Your order ${oneLine(orderNumber)} ${HEADLINES[kind]}`;
}

/** Writes the mail, once for readers of text and once for readers of HTML. */
export function renderOrderMail(news: OrderNews): MailText {
  const { kind, order } = news;
  const subject = subjectOf(kind, order.number);
  const paragraphs = [greeting(order.shippingAddress?.name ?? ''), ...message(news)];
  const address = order.shippingAddress && addressLines(order.shippingAddress);
  return {
    subject,
    text: textBody(subject, paragraphs, order, address),
    html: htmlBody(subject, paragraphs, order, address),
  };
}

function message({ kind, order, tracking }: OrderNews): string[] {
  switch (kind) {
    case 'ORDER_CONFIRMED':
      return [
        'thank you for your order. The goods are put aside for you, and we will write again when they are on their way.',
      ];
    case 'ORDER_REJECTED':
      return [
        'we are sorry that we could not accept your order.',
        oneLine(order.rejection?.message ?? ''),
        'You have not been charged.',
      ].filter(Boolean);
    case 'ORDER_CANCELLED':
      return ['your order is called off. Whatever you paid for it goes back to you.'];
    case 'ORDER_FULFILLED':
      return ['the carrier has your order.', tracking ? `Tracking: ${oneLine(tracking)}` : ''].filter(Boolean);
  }
}

function textBody(subject: string, paragraphs: string[], order: Order, address: string[] | undefined): string {
  const lines = order.lines.map(
    (line) => `  ${line.quantity} x ${oneLine(line.title)} (${oneLine(line.sku)})  ${prices(line)}`,
  );
  const blocks = [subject, ...paragraphs.map(wrapped), [...lines, `  Total: ${written(order.total)}`].join('\n')];
  if (address) blocks.push(['Delivery to:', ...address.map((line) => `  ${line}`)].join('\n'));
  return textMail(blocks);
}

function htmlBody(subject: string, paragraphs: string[], order: Order, address: string[] | undefined): string {
  const rows = order.lines.map(
    (line) =>
      `<tr><td>${line.quantity} &times;</td><td>${escapeHtml(oneLine(line.title))} <small>${escapeHtml(oneLine(line.sku))}</small></td>` +
      `<td align="right">${escapeHtml(written(line.unitPrice))}</td><td align="right">${escapeHtml(written(line.total))}</td></tr>`,
  );
  return htmlMail(subject, [
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    '<table cellpadding="4">',
    ...rows,
    `<tr><th colspan="3" align="left">Total</th><th align="right">${escapeHtml(written(order.total))}</th></tr>`,
    '</table>',
    ...(address ? [`<p>Delivery to:<br>${address.map(escapeHtml).join('<br>')}</p>`] : []),
  ]);
}

function prices({ quantity, unitPrice, total }: OrderLine): string {
  return quantity === 1 ? written(total) : `${written(unitPrice)} each, ${written(total)}`;
}

function written(amount: Money | undefined): string {
  return amount ? formatMoney(amount) : '';
}

function addressLines({ name, line1, line2, city, region, postalCode, country }: Address): string[] {
  return [name, line1, line2, `${postalCode} ${city}`, region, country].map(oneLine).filter(Boolean);
}
