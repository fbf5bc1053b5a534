import { DomainError } from '@souk/errors';
import { userNotFound } from '../accounts/account-errors.js';
import type { Account, UsersStore } from '../accounts/users.store.js';
import type { AttemptsStore } from '../attempts/attempts.store.js';
import { PASSWORD_OF_USER } from '../attempts/limits.js';
import type { PasswordHasher } from './password-hasher.js';

/** Asks who is logged in for the password again, before what a stolen access token must not be enough for. */
export class ConfirmPassword {
  constructor(
    private readonly users: UsersStore,
    private readonly attempts: AttemptsStore,
    private readonly hasher: PasswordHasher,
  ) {}

  /** @throws DomainError WRONG_PASSWORD, TOO_MANY_ATTEMPTS */
  async execute(userId: string, password: string): Promise<Account> {
    const account = await this.users.find(userId);
    if (!account) throw userNotFound();
    const tried = { limit: PASSWORD_OF_USER, subject: userId };
    await this.attempts.begin([tried]);
    if (!(await this.hasher.matches(password, account.passwordHash))) throw wrongPassword();
    await this.attempts.forget(tried);
    return account;
  }
}

// Not `unauthenticated`: the access token is good, and a client that asked for another one would be no better off.
function wrongPassword(): DomainError {
  return new DomainError({ kind: 'forbidden', reason: 'WRONG_PASSWORD', message: 'The password is wrong.' });
}
