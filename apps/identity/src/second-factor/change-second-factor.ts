import type { Database, Transaction } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { userNotFound } from '../accounts/account-errors.js';
import type { User, UsersStore } from '../accounts/users.store.js';
import type { Background } from '../background.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import type { ConfirmPassword } from '../passwords/confirm-password.js';
import type { SessionsStore } from '../sessions/sessions.store.js';
import type { CheckCode } from './check-code.js';
import { newRecoveryCodes } from './recovery-codes.js';
import type { SecondFactorsStore } from './second-factors.store.js';

/** Takes a second factor off, or makes new recovery codes: both by password and code, or by somebody in charge. */
export class ChangeSecondFactor {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly secondFactors: SecondFactorsStore,
    private readonly confirmPassword: ConfirmPassword,
    private readonly checkCode: CheckCode,
    private readonly mails: AccountMailsStore,
    private readonly background: Background,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError WRONG_PASSWORD, WRONG_CODE, TOO_MANY_ATTEMPTS, SECOND_FACTOR_MISSING */
  async removeOwn(userId: string, password: string, code: string): Promise<void> {
    await this.proved(userId, password, code, (tx, user) => this.remove(tx, user));
  }

  /** @throws DomainError WRONG_PASSWORD, WRONG_CODE, TOO_MANY_ATTEMPTS, SECOND_FACTOR_MISSING */
  async renewRecoveryCodes(userId: string, password: string, code: string): Promise<string[]> {
    const recoveryCodes = newRecoveryCodes();
    await this.proved(userId, password, code, (tx) =>
      this.secondFactors.replaceRecoveryCodes(tx, userId, recoveryCodes),
    );
    return recoveryCodes;
  }

  /** Also ends all sessions: the device that is lost may have one. False where there was no second factor. */
  async removeOfOther(userId: string, by: string): Promise<boolean> {
    const removed = await this.database.transaction(async (tx) => {
      const user = await this.users.lock(tx, userId);
      if (!user) throw userNotFound();
      if (!(await this.remove(tx, user))) return false;
      await this.sessions.endAll(userId, undefined, tx);
      return true;
    });
    if (removed) this.logger.info({ userId, by }, 'a second factor was reset');
    this.background.wake();
    return removed;
  }

  private async proved(
    userId: string,
    password: string,
    code: string,
    change: (tx: Transaction, user: User) => Promise<unknown>,
  ): Promise<void> {
    await this.confirmPassword.execute(userId, password);
    await this.checkCode.begin(userId);
    await this.database.transaction(async (tx) => {
      const user = await this.users.lock(tx, userId);
      if (!user) throw userNotFound();
      await this.checkCode.use(tx, user, code);
      await change(tx, user);
    });
    await this.checkCode.succeeded(userId);
    this.background.wake();
  }

  private async remove(tx: Transaction, { userId, email, name, emailVerified }: User): Promise<boolean> {
    if (!(await this.secondFactors.delete(tx, userId))) return false;
    await this.sessions.dropFactor(tx, userId);
    if (emailVerified) await this.mails.want(tx, { kind: 'SECOND_FACTOR_REMOVED', recipient: email, name, userId });
    return true;
  }
}
