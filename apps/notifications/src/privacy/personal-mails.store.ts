/**
 * Mails to one person, for exports and erasures. Guarantees: a mail that is still to go out is left alone; of the others what
 * remains is that there was one, so that its cause brings no second one.
 */
import { emailKey, tidyAddress } from '@souk/auth';
import { sql, type Database } from '@souk/postgres';
import type { NotificationKind } from '../order-mail.js';
import type { AccountMailKind } from '../account-mail.js';

export interface PersonalMail {
  readonly notification_id: string;
  readonly order_id: string | null;
  readonly kind: NotificationKind | AccountMailKind;
  readonly recipient: string;
  readonly subject: string;
  readonly content: { readonly order?: { readonly number?: string } };
  readonly state: 'QUEUED' | 'SENDING' | 'SENT' | 'FAILED';
  readonly created_at: Date;
  readonly sent_at: Date | null;
}

const MOST = 2_000;
const COLUMNS = 'notification_id, order_id, kind, recipient, subject, content, state, created_at, sent_at';
const ABOUT_ORDERS = sql(
  'privacy.about-orders',
  `SELECT ${COLUMNS} FROM notifications WHERE order_id = ANY($1::uuid[]) ORDER BY notification_id`,
);
const ABOUT_ACCOUNT = sql(
  'privacy.about-account',
  `SELECT ${COLUMNS} FROM notifications
    WHERE request_id IS NOT NULL AND lower(recipient) = ANY($1::text[]) ORDER BY notification_id LIMIT $2`,
);
// The order's number is what its file is found by; it names nobody.
const ERASE = sql(
  'privacy.erase-mails',
  `UPDATE notifications
      SET recipient = '', last_error = NULL,
          content = CASE WHEN order_id IS NULL THEN '{}'
                         ELSE jsonb_build_object('order', jsonb_build_object('number', content->'order'->'number')) END
    WHERE notification_id = ANY($1::uuid[]) AND state IN ('SENT', 'FAILED')`,
);

export class PersonalMailsStore {
  constructor(private readonly database: Database) {}

  aboutOrders(orderIds: readonly string[]): Promise<PersonalMail[]> {
    return this.database.query<PersonalMail>(ABOUT_ORDERS, [orderIds]);
  }

  /** Mails about accounts that went to the address; those of the last 30 days are kept. */
  aboutAccount(email: string): Promise<PersonalMail[]> {
    const tidy = tidyAddress(email);
    return this.database.query<PersonalMail>(ABOUT_ACCOUNT, [[tidy.toLowerCase(), emailKey(tidy)], MOST]);
  }

  async erase(mails: readonly PersonalMail[]): Promise<void> {
    if (mails.length === 0) return;
    await this.database.query(ERASE, [mails.map((mail) => mail.notification_id)]);
  }
}
