import type { Database } from '@souk/postgres';
import { userNotFound } from '../accounts/account-errors.js';
import type { UsersStore } from '../accounts/users.store.js';
import type { Background } from '../background.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import type { ConfirmPassword } from '../passwords/confirm-password.js';
import type { SessionsStore } from '../sessions/sessions.store.js';
import type { CheckCode } from './check-code.js';
import { newRecoveryCodes } from './recovery-codes.js';
import { secondFactorExists, secondFactorNotBegun, wrongCode } from './second-factor-errors.js';
import type { SecondFactorsStore } from './second-factors.store.js';
import { enrolmentOf, newTotpSecret } from './totp.js';

/** Sets up a second factor: a secret for the app first, and a code of it as proof that the app has it. */
export class Enrol {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly secondFactors: SecondFactorsStore,
    private readonly confirmPassword: ConfirmPassword,
    private readonly checkCode: CheckCode,
    private readonly mails: AccountMailsStore,
    private readonly background: Background,
    /** What apps show the codes under. */
    private readonly issuer: string,
  ) {}

  /**
   * Makes a secret. The password is asked for: with a stolen access token alone nobody locks the owner out.
   * @throws DomainError WRONG_PASSWORD, TOO_MANY_ATTEMPTS, SECOND_FACTOR_EXISTS
   */
  async begin(userId: string, password: string): Promise<{ uri: string; secret: string }> {
    const { email, name } = await this.confirmPassword.execute(userId, password);
    const secret = newTotpSecret();
    if (!(await this.secondFactors.begin(userId, secret))) throw secondFactorExists();
    return enrolmentOf(secret, this.issuer, email || name);
  }

  /**
   * Turns it on. Sessions that were opened without it end; the one that confirms counts as opened with it.
   * @returns the recovery codes, which are shown this once
   * @throws DomainError WRONG_CODE, TOO_MANY_ATTEMPTS, SECOND_FACTOR_EXISTS, SECOND_FACTOR_NOT_BEGUN
   */
  async confirm({ userId, sessionId }: { userId: string; sessionId: string }, code: string): Promise<string[]> {
    await this.checkCode.begin(userId);
    const recoveryCodes = newRecoveryCodes();
    await this.database.transaction(async (tx) => {
      // Log-ins hold the account: none of them opens a session without a code once this is written.
      const user = await this.users.lock(tx, userId);
      if (!user) throw userNotFound();
      if (await this.secondFactors.find(userId, tx)) throw secondFactorExists();
      const outcome = await this.secondFactors.confirm(tx, userId, code.trim());
      if (outcome === 'not begun') throw secondFactorNotBegun();
      if (outcome === 'wrong code') throw wrongCode();
      await this.secondFactors.replaceRecoveryCodes(tx, userId, recoveryCodes);
      await this.sessions.endAll(userId, sessionId, tx);
      await this.sessions.addFactor(tx, sessionId);
      const { email, name, emailVerified } = user;
      if (emailVerified) await this.mails.want(tx, { kind: 'SECOND_FACTOR_ADDED', recipient: email, name, userId });
    });
    await this.checkCode.succeeded(userId);
    this.background.wake();
    return recoveryCodes;
  }
}
