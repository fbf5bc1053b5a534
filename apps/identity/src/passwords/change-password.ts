import type { Database } from '@souk/postgres';
import { checkPassword } from '../accounts/account-rules.js';
import type { Background } from '../background.js';
import type { ConfirmPassword } from './confirm-password.js';
import type { NewPassword } from './new-password.js';
import type { PasswordHasher } from './password-hasher.js';

/** Changes the password of who knows the present one, and ends all other sessions. */
export class ChangePassword {
  constructor(
    private readonly database: Database,
    private readonly confirmPassword: ConfirmPassword,
    private readonly hasher: PasswordHasher,
    private readonly newPassword: NewPassword,
    private readonly background: Background,
  ) {}

  /**
   * @param caller whose session stays open
   * @throws DomainError WRONG_PASSWORD, TOO_MANY_ATTEMPTS, PASSWORD_TOO_WEAK, INVALID_ARGUMENT
   */
  async execute(caller: { userId: string; sessionId: string }, present: string, chosen: string): Promise<void> {
    const account = await this.confirmPassword.execute(caller.userId, present);
    checkPassword('new_password', { email: account.email, password: chosen });
    const hash = await this.hasher.hash(chosen);
    await this.database.transaction((tx) => this.newPassword.set(tx, account, hash, caller.sessionId));
    this.background.wake();
  }
}
