import type { Database } from '@souk/postgres';
import type { MailRequests } from '../mails/mail-requests.js';
import type { ConfirmPassword } from '../passwords/confirm-password.js';
import type { CheckCode } from '../second-factor/check-code.js';
import { userNotFound } from './account-errors.js';
import { checkEmail } from './account-rules.js';
import type { UsersStore } from './users.store.js';

/** Sends a link to the address that an account shall have; nothing changes until somebody opens it. */
export class RequestEmailChange {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly confirmPassword: ConfirmPassword,
    private readonly checkCode: CheckCode,
    private readonly mailRequests: MailRequests,
  ) {}

  /** @throws DomainError WRONG_PASSWORD, WRONG_CODE, TOO_MANY_ATTEMPTS, INVALID_ARGUMENT */
  async execute(userId: string, typed: string, password: string, code: string): Promise<void> {
    const email = checkEmail(typed);
    await this.confirmPassword.execute(userId, password);
    await this.checkCode.whereSet(userId, code, (prove) =>
      this.database.transaction(async (tx) => {
        const user = await this.users.lock(tx, userId);
        if (!user) throw userNotFound();
        await prove(tx, user);
      }),
    );
    await this.mailRequests.send({ kind: 'CONFIRM_EMAIL', recipient: email, userId });
  }
}
