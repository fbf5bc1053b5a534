import type { MailRequests } from '../mails/mail-requests.js';
import { userNotFound } from './account-errors.js';
import type { UsersStore } from './users.store.js';

/** Sends the link that proves an account's address once more; nothing where it is proved, or the account has none. */
export class RequestEmailVerification {
  constructor(
    private readonly users: UsersStore,
    private readonly mailRequests: MailRequests,
  ) {}

  async execute(userId: string): Promise<void> {
    const user = await this.users.find(userId);
    if (!user) throw userNotFound();
    if (user.emailVerified || !user.email) return;
    await this.mailRequests.send({ kind: 'VERIFY_EMAIL', recipient: user.email, userId });
  }
}
