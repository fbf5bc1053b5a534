import type { Database, Transaction } from '@souk/postgres';
import { emailKey } from '@souk/auth';
import type { AttemptsStore } from '../attempts/attempts.store.js';
import { MAIL_TO_ADDRESS } from '../attempts/limits.js';
import type { AccountMailWorker } from './account-mail-worker.js';
import type { AccountMailsStore, WantedMail } from './account-mails.store.js';

/**
 * Mails that people who are not known yet have sent to an address. An address gets no more than a few in a while, so that
 * nobody is buried in mail by others; who asks is told nothing of that.
 */
export class MailRequests {
  constructor(
    private readonly database: Database,
    private readonly attempts: AttemptsStore,
    private readonly mails: AccountMailsStore,
    private readonly worker: AccountMailWorker,
  ) {}

  /** Whether the address may have another mail; asking counts. */
  async allow(email: string): Promise<boolean> {
    return (await this.attempts.count({ limit: MAIL_TO_ADDRESS, subject: emailKey(email) })) === 0;
  }

  /** Notes a mail that was allowed. */
  want(tx: Transaction, mail: WantedMail): Promise<void> {
    return this.mails.want(tx, mail);
  }

  async send(mail: WantedMail): Promise<void> {
    if (!(await this.allow(mail.recipient))) return;
    await this.database.transaction((tx) => this.want(tx, mail));
    this.worker.wake();
  }
}
