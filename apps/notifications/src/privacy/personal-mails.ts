/**
 * The personal data that notifications keeps: mails. One that is still to go out is pending: it goes out, or is given up, and is
 * erased then. Files go before their rows, which are what they are found by.
 */
import { PersonalData, type ErasedPage, type ExportedPage, type Subject } from '@souk/privacy';
import type { Mailer } from '../mailer.js';
import type { PersonalMail, PersonalMailsStore } from './personal-mails.store.js';

const ONCE = 'That there was a mail is kept, so that none goes out twice.';

export class PersonalMails extends PersonalData {
  constructor(
    private readonly store: PersonalMailsStore,
    private readonly mailer: Mailer,
  ) {
    super();
  }

  /** Mails to an address that is not proved may be another's. */
  async export({ orderIds, email, emailOwned }: Subject): Promise<ExportedPage> {
    const mails = [
      ...(await this.store.aboutOrders(orderIds)),
      ...(email && emailOwned ? await this.store.aboutAccount(email) : []),
    ];
    return { records: mails.map((value) => ({ kind: 'mail', value })) };
  }

  async erase({ orderIds, email }: Subject): Promise<ErasedPage> {
    const mails = [...(await this.store.aboutOrders(orderIds)), ...(email ? await this.store.aboutAccount(email) : [])];
    const done = mails.filter(({ state }) => state === 'SENT' || state === 'FAILED');
    await this.mailer.forget?.(done.map(asDelivered));
    await this.store.erase(done);
    return {
      treatments: [{ what: 'mails', action: 'PSEUDONYMISED', count: done.length, reason: ONCE }],
      pending: mails.length - done.length,
    };
  }
}

/** What the mailer knows a mail by. */
function asDelivered({ notification_id: notificationId, created_at: createdAt, kind, content }: PersonalMail) {
  return { notificationId, createdAt, kind, orderNumber: content.order?.number };
}
