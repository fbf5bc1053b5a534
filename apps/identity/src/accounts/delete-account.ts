import { DomainError } from '@souk/errors';
import type { Database } from '@souk/postgres';
import type { ConfirmPassword } from '../passwords/confirm-password.js';
import type { RequestErasure } from '../privacy/request-erasure.js';
import { userNotFound } from './account-errors.js';
import type { CheckCode } from '../second-factor/check-code.js';
import type { UsersStore } from './users.store.js';

/** Deletes an account with all that is known of the person here, and begins to erase the person from the other services. */
export class DeleteAccount {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly confirmPassword: ConfirmPassword,
    private readonly checkCode: CheckCode,
    private readonly erasing: RequestErasure,
  ) {}

  /** @throws DomainError WRONG_PASSWORD, WRONG_CODE, TOO_MANY_ATTEMPTS, LAST_ADMIN */
  async execute(userId: string, password: string, code: string): Promise<{ erasureId: string; accessToken: string }> {
    await this.confirmPassword.execute(userId, password);
    const { erasureId, token } = await this.checkCode.whereSet(userId, code, (prove) =>
      this.database.transaction(async (tx) => {
        await this.users.lockAdmins(tx);
        const user = await this.users.lock(tx, userId);
        if (!user) throw userNotFound();
        await prove(tx, user);
        if (user.roles.includes('admin') && !(await this.users.hasAdmin(tx, userId))) throw lastAdmin();
        return this.erasing.endAccount(tx, user);
      }),
    );
    this.erasing.wake();
    return { erasureId, accessToken: token.text };
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
