import { isUniqueViolation, type Database } from '@souk/postgres';
import type { Background } from '../background.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import { forgetProofsOfAddress, forgetProofsOfUser, takeProof } from '../mails/proofs.store.js';
import { linkInvalid, userNotFound } from './account-errors.js';
import type { User, UsersStore } from './users.store.js';

/** Gives an account the address that it proved, and says so to the one that it had. */
export class ConfirmEmailChange {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly mails: AccountMailsStore,
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
        const before = await this.users.lock(tx, userId);
        if (!before) throw userNotFound();
        const proof = await takeProof(tx, 'CHANGE_EMAIL', token);
        if (!proof || proof.userId !== userId) throw linkInvalid();
        // Links to a new password went to the address that the account had.
        await forgetProofsOfUser(tx, userId);
        await forgetProofsOfAddress(tx, proof.email);
        const after = await this.users.own(tx, userId, proof.email);
        if (before.emailVerified) {
          const recipient = { recipient: before.email, name: before.name, userId };
          await this.mails.want(tx, { kind: 'EMAIL_CHANGED', ...recipient });
        }
        return after;
      });
    } catch (error) {
      throw isUniqueViolation(error, 'users_verified_email') ? linkInvalid() : error;
    }
  }
}
