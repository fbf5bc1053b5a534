import type { Database } from '@souk/postgres';
import { linkInvalid } from '../accounts/account-errors.js';
import { checkPassword } from '../accounts/account-rules.js';
import { emailKey } from '@souk/auth';
import type { User, UsersStore } from '../accounts/users.store.js';
import type { AttemptsStore } from '../attempts/attempts.store.js';
import { LOGIN_AT_ADDRESS, PASSWORD_OF_USER } from '../attempts/limits.js';
import type { Background } from '../background.js';
import { findProof, takeProof, type Proof } from '../mails/proofs.store.js';
import type { NewPassword } from './new-password.js';
import type { PasswordHasher } from './password-hasher.js';

/** Sets the password of who reads the mail of the account's own address, and ends all sessions. */
export class ResetPassword {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly hasher: PasswordHasher,
    private readonly newPassword: NewPassword,
    private readonly attempts: AttemptsStore,
    private readonly background: Background,
  ) {}

  /** @throws DomainError LINK_INVALID, PASSWORD_TOO_WEAK, INVALID_ARGUMENT */
  async execute(token: string, password: string): Promise<void> {
    const found = await findProof(this.database, 'RESET_PASSWORD', token);
    if (!found) throw linkInvalid();
    checkPassword('password', { email: found.email, password });
    const hash = await this.hasher.hash(password);
    await this.database.transaction(async (tx) => {
      const proof = await takeProof(tx, 'RESET_PASSWORD', token);
      const user = proof && (await this.users.lock(tx, proof.userId));
      if (!user || !stillOwns(user, proof)) throw linkInvalid();
      await this.newPassword.set(tx, user, hash);
    });
    // Whoever guessed at the old password has not locked the owner out of the new one.
    await this.attempts.forget({ limit: LOGIN_AT_ADDRESS, subject: found.emailKey });
    await this.attempts.forget({ limit: PASSWORD_OF_USER, subject: found.userId });
    this.background.wake();
  }
}

function stillOwns({ email, emailVerified }: User, proof: Proof): boolean {
  return emailVerified && emailKey(email) === proof.emailKey;
}
