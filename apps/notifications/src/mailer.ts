import type { SendMailOptions } from 'nodemailer';
import type { QueuedMail } from './notifications.store.js';
import { renderAccountMail } from './account-mail.js';
import type { MailText } from './mail-text.js';
import { renderOrderMail } from './order-mail.js';

/** What handing a mail over came to. `retry`: it has surely not arrived and may be tried again. */
export type Delivery = { readonly outcome: 'sent' } | { readonly outcome: 'retry' | 'failed'; readonly error: string };

/** By what a mail is known that was handed over. */
export interface DeliveredMail {
  readonly notificationId: string;
  readonly createdAt: Date;
  readonly kind: string;
  /** Absent where it is not about an order. */
  readonly orderNumber?: string | undefined;
}

/** Hands mails over. */
export interface Mailer {
  /** Whether handing the same mail over twice does no harm. */
  readonly repeatable: boolean;
  deliver(mail: QueuedMail): Promise<Delivery>;
  /** Destroys what is kept of mails that were handed over; absent where nothing is. */
  forget?(mails: readonly DeliveredMail[]): Promise<void>;
}

// One address and nothing else: no list, no comment, no second line.
const ADDRESS = /^[^\s@<>()[\]\\,;:"\p{C}]+@[^\s@<>()[\]\\,;:"\p{C}]+$/u;

/** Whether mail may be addressed to it. */
export function isAddress(recipient: string): boolean {
  return recipient.length <= 254 && ADDRESS.test(recipient);
}

/** The mail as nodemailer takes it; the same one, with the same Message-ID, however often it is composed. */
export function compose({ notificationId, recipient, createdAt, news }: QueuedMail, from: string): SendMailOptions {
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'souk.local';
  return {
    ...render(news),
    from,
    to: { name: '', address: recipient },
    messageId: `<${notificationId}@${domain}>`,
    date: createdAt,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function render(news: QueuedMail['news']): MailText {
  return 'order' in news ? renderOrderMail(news) : renderAccountMail(news);
}
