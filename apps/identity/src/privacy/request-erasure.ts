import { emailKey, tidyAddress } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { uuidv7, type Database, type Transaction } from '@souk/postgres';
import { userNotFound } from '../accounts/account-errors.js';
import { checkEmail } from '../accounts/account-rules.js';
import type { User, UsersStore } from '../accounts/users.store.js';
import type { Background } from '../background.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import type { Erasure, ErasuresStore } from './erasures.store.js';
import type { ErasureWorker } from './erasure-worker.js';

/** Asked for by those who run the shop, for a customer or for whoever ordered as a guest. */
export class RequestErasure {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly mails: AccountMailsStore,
    private readonly erasures: ErasuresStore,
    private readonly worker: ErasureWorker,
    private readonly background: Background,
  ) {}

  /** @throws DomainError USER_NOT_FOUND, STAFF_ACCOUNT */
  async ofUser(userId: string): Promise<{ erasure: Erasure; accessToken: string }> {
    const known = await this.erasures.findBySubject(userId);
    if (known) return { erasure: known, accessToken: '' };
    return this.begin(async (tx) => {
      const user = await this.users.lock(tx, userId);
      if (!user) throw userNotFound();
      return eraseUser(tx, user, this);
    });
  }

  /** Of the account that owns the address; where none does, of the guest. @throws DomainError INVALID_ARGUMENT, STAFF_ACCOUNT */
  async ofAddress(typed: string): Promise<{ erasure: Erasure; accessToken: string }> {
    const email = checkEmail(typed);
    return this.begin(async (tx) => {
      const owner = await this.users.findOwner(email, tx);
      const user = owner && (await this.users.lock(tx, owner.userId));
      if (user && emailKey(tidyAddress(user.email)) === emailKey(email)) return eraseUser(tx, user, this);
      return this.erasures.begin(tx, { subjectId: uuidv7(), email, emailOwned: true });
    });
  }

  /** Ends the account and begins the erasure. The person is told by mail, as the last that they hear. */
  async endAccount(tx: Transaction, { userId, email, name, emailVerified }: User): ReturnType<ErasuresStore['begin']> {
    if (emailVerified) await this.mails.want(tx, { kind: 'ACCOUNT_DELETED', recipient: email, name });
    await this.users.delete(tx, userId);
    return this.erasures.begin(tx, { subjectId: userId, email, emailOwned: emailVerified });
  }

  wake(): void {
    this.background.wake();
    this.worker.wake();
  }

  private async begin(work: (tx: Transaction) => ReturnType<ErasuresStore['begin']>) {
    const { erasureId, token } = await this.database.transaction(work);
    this.wake();
    const erasure = await this.erasures.find(erasureId);
    if (!erasure) throw new Error('The erasure that was just written is not there.');
    return { erasure, accessToken: token.text };
  }
}

function eraseUser(tx: Transaction, user: User, requests: RequestErasure): ReturnType<ErasuresStore['begin']> {
  if (user.roles.some((role) => role !== 'customer')) throw staffAccount();
  return requests.endAccount(tx, user);
}

function staffAccount(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'STAFF_ACCOUNT',
    message: 'Whoever works here is erased after their roles were taken from them.',
  });
}
