import type { Transaction } from '@souk/postgres';
import type { User, UsersStore } from '../accounts/users.store.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import { forgetProofsOfUser } from '../mails/proofs.store.js';
import { forgetChallengesOfUser } from '../second-factor/challenges.store.js';
import type { SessionsStore } from '../sessions/sessions.store.js';

/** What a new password brings with it: whoever got in with the old one is out, and the owner is told. */
export class NewPassword {
  constructor(
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly mails: AccountMailsStore,
  ) {}

  /** @param keptSession stays open; all others end */
  async set(tx: Transaction, user: User, passwordHash: string, keptSession?: string): Promise<void> {
    const { userId, email, name } = user;
    await this.users.setPassword(tx, userId, passwordHash);
    await this.sessions.endAll(userId, keptSession, tx);
    await forgetProofsOfUser(tx, userId);
    await forgetChallengesOfUser(tx, userId);
    if (user.emailVerified) await this.mails.want(tx, { kind: 'PASSWORD_CHANGED', recipient: email, name, userId });
  }
}
