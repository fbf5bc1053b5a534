import { isUniqueViolation, type Database } from '@souk/postgres';
import type { Background } from '../background.js';
import { forgetProofsOfAddress, takeProof } from '../mails/proofs.store.js';
import { linkInvalid, userNotFound } from './account-errors.js';
import { emailKey } from '@souk/auth';
import type { User, UsersStore } from './users.store.js';

/**
 * Makes an address the account's own. The link proves that whoever has it reads the mailbox, being logged in proves the
 * account: only both together make them one. Else somebody could register a stranger's address, and the stranger, by
 * opening the link, would make it theirs.
 */
export class VerifyEmail {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly background: Background,
  ) {}

  /** @throws DomainError LINK_INVALID */
  async execute(userId: string, token: string): Promise<User> {
    const user = await this.inTransaction(userId, token);
    this.background.wake();
    return user;
  }

  private async inTransaction(userId: string, token: string): Promise<User> {
    try {
      return await this.database.transaction(async (tx) => {
        const account = await this.users.lock(tx, userId);
        if (!account) throw userNotFound();
        if (account.emailVerified) return account;
        const proof = await takeProof(tx, 'VERIFY_EMAIL', token);
        if (!proof || !account.email || proof.emailKey !== emailKey(account.email)) throw linkInvalid();
        await forgetProofsOfAddress(tx, account.email);
        return this.users.own(tx, userId, account.email);
      });
    } catch (error) {
      throw isUniqueViolation(error, 'users_verified_email') ? linkInvalid() : error;
    }
  }
}
