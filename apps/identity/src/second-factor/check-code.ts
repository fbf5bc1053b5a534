import type { Transaction } from '@souk/postgres';
import type { User } from '../accounts/users.store.js';
import type { AttemptsStore, Try } from '../attempts/attempts.store.js';
import { CODE_OF_USER } from '../attempts/limits.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import { secondFactorMissing, wrongCode } from './second-factor-errors.js';
import type { SecondFactorsStore } from './second-factors.store.js';

/** Judges codes: counted before, used up in the transaction of what they are shown for, forgiven after. */
export class CheckCode {
  constructor(
    private readonly secondFactors: SecondFactorsStore,
    private readonly attempts: AttemptsStore,
    private readonly mails: AccountMailsStore,
  ) {}

  /**
   * Counts a try of the person, with those of where it comes from.
   * @throws DomainError TOO_MANY_ATTEMPTS
   */
  async begin(userId: string, others: readonly Try[] = []): Promise<void> {
    await this.attempts.begin([...others, tryOf(userId)]);
  }

  /**
   * Uses the code up. A recovery code is told of by mail.
   * @throws DomainError WRONG_CODE, SECOND_FACTOR_MISSING
   */
  async use(tx: Transaction, { userId, name, email, emailVerified }: User, code: string): Promise<void> {
    if (!(await this.secondFactors.find(userId, tx))) throw secondFactorMissing();
    const used = await this.secondFactors.use(tx, userId, code.trim());
    if (!used) throw wrongCode();
    if (used === 'recovery' && emailVerified) {
      await this.mails.want(tx, { kind: 'RECOVERY_CODE_USED', recipient: email, name, userId });
    }
  }

  /**
   * Like `begin`, `use` and `succeeded` around the work, for who has a second factor; others do the work without a code.
   * @throws DomainError WRONG_CODE, TOO_MANY_ATTEMPTS
   */
  async whereSet<T>(
    userId: string,
    code: string,
    work: (prove: (tx: Transaction, user: User) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const isSet = (await this.secondFactors.find(userId)) !== undefined;
    if (isSet) await this.begin(userId);
    const result = await work(async (tx, user) => {
      // Asked again: it may have been set up since.
      if (await this.secondFactors.find(userId, tx)) await this.use(tx, user, code);
    });
    if (isSet) await this.succeeded(userId);
    return result;
  }

  /** Begins the count again, after what the code was shown for is written. */
  async succeeded(userId: string): Promise<void> {
    await this.attempts.forget(tryOf(userId));
  }
}

function tryOf(userId: string): Try {
  return { limit: CODE_OF_USER, subject: userId };
}
