import { DomainError } from '@souk/errors';
import type { Database } from '@souk/postgres';
import { passwordFault } from '../accounts/account-rules.js';
import { emailKey, tidyAddress, sourceOf } from '@souk/auth';
import type { Account, UsersStore } from '../accounts/users.store.js';
import type { AttemptsStore, Try } from '../attempts/attempts.store.js';
import { LOGIN_AT_ADDRESS, LOGIN_FROM_SOURCE } from '../attempts/limits.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { Challenge, ChallengesStore } from '../second-factor/challenges.store.js';
import type { SecondFactorsStore } from '../second-factor/second-factors.store.js';
import type { Device } from './device.js';
import { BY_PASSWORD } from './methods.js';
import type { LoggedIn, OpenSession } from './open-session.js';

/** What a right password gets: a session, or the question for a code. */
export type LoginOutcome = LoggedIn | { readonly challenge: Challenge };

/** Opens a session for whoever knows the password, or asks for a code where the person has a second factor. */
export class Login {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly attempts: AttemptsStore,
    private readonly hasher: PasswordHasher,
    private readonly openSession: OpenSession,
    private readonly secondFactors: SecondFactorsStore,
    private readonly challenges: ChallengesStore,
  ) {}

  /**
   * Two passwords are checked, whatever the address: that of the account that proved it, and that of the newest one that
   * did not. So an unknown address, one or two accounts and a wrong password take the same time and have the same answer,
   * and nobody learns who has an account.
   * @throws DomainError WRONG_CREDENTIALS, TOO_MANY_ATTEMPTS
   */
  async execute(email: string, password: string, device: Device): Promise<LoginOutcome> {
    const typed = tidyAddress(email);
    const source = sourceOf(device.address);
    const fromSource: Try[] = source ? [{ limit: LOGIN_FROM_SOURCE, subject: source }] : [];
    const atAddress: Try = { limit: LOGIN_AT_ADDRESS, subject: emailKey(typed) };
    await this.attempts.begin([...fromSource, atAddress]);
    const account = await this.accountOf(typed, password);
    if (!account) throw wrongCredentials();
    await Promise.all([this.attempts.forget(atAddress), ...fromSource.map((tried) => this.attempts.takeBack(tried))]);
    return this.open(account, device);
  }

  /**
   * A session that was opened with a password must not outlive it: it may have been changed since it was checked. Held, the
   * account does not get a second factor meanwhile.
   */
  private open({ userId, passwordHash }: Account, device: Device): Promise<LoginOutcome> {
    return this.database.transaction(async (tx) => {
      const account = await this.users.hold(tx, userId);
      if (account?.passwordHash !== passwordHash) throw wrongCredentials();
      if (await this.secondFactors.find(userId, tx)) {
        return { challenge: await this.challenges.make(tx, userId, device) };
      }
      return this.openSession.execute(account, device, BY_PASSWORD, tx);
    });
  }

  private async accountOf(email: string, password: string): Promise<Account | undefined> {
    const candidates = [await this.users.findOwner(email), await this.users.findNewestWithoutProof(email)];
    // A text that can't be a password is not worth hashing, as long as the decoy takes its time.
    const possible = passwordFault(password) === undefined;
    const matching: Account[] = [];
    for (const candidate of candidates) {
      const matches = await this.hasher.matches(possible ? password : '', candidate?.passwordHash);
      if (candidate && possible && matches) matching.push(candidate);
    }
    return matching[0];
  }
}

function wrongCredentials(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'WRONG_CREDENTIALS',
    message: 'The e-mail address or the password is wrong.',
  });
}
