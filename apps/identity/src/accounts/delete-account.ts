import { DomainError } from '@souk/errors';
import type { Database } from '@souk/postgres';
import type { Background } from '../background.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import type { ConfirmPassword } from '../passwords/confirm-password.js';
import { userNotFound } from './account-errors.js';
import type { UsersStore } from './users.store.js';

/** Deletes an account with all that is known of the person here, and tells the other services. */
export class DeleteAccount {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly confirmPassword: ConfirmPassword,
    private readonly mails: AccountMailsStore,
    private readonly background: Background,
  ) {}

  /** @throws DomainError WRONG_PASSWORD, TOO_MANY_ATTEMPTS, LAST_ADMIN */
  async execute(userId: string, password: string): Promise<void> {
    await this.confirmPassword.execute(userId, password);
    await this.database.transaction(async (tx) => {
      await this.users.lockAdmins(tx);
      const user = await this.users.lock(tx, userId);
      if (!user) throw userNotFound();
      if (user.roles.includes('admin') && !(await this.users.hasAdmin(tx, userId))) throw lastAdmin();
      const { email, name, emailVerified } = user;
      if (emailVerified) await this.mails.want(tx, { kind: 'ACCOUNT_DELETED', recipient: email, name });
      await this.users.delete(tx, userId);
    });
    this.background.wake();
  }
}

/** Nobody could let anybody in any more. */
export function lastAdmin(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'LAST_ADMIN',
    message: 'This is the last administrator. Make another one first.',
  });
}
