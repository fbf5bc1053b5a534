import { sourceOf } from '@souk/auth';
import { DomainError } from '@souk/errors';
import type { Database } from '@souk/postgres';
import type { UsersStore } from '../accounts/users.store.js';
import type { AttemptsStore, Try } from '../attempts/attempts.store.js';
import { LOGIN_FROM_SOURCE } from '../attempts/limits.js';
import type { Background } from '../background.js';
import type { ChallengesStore } from '../second-factor/challenges.store.js';
import type { CheckCode } from '../second-factor/check-code.js';
import type { Device } from './device.js';
import { BY_SECOND_FACTOR } from './methods.js';
import type { LoggedIn, OpenSession } from './open-session.js';

/** Opens a session for whoever knew the password a moment ago and has a code too. */
export class CompleteLogin {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly challenges: ChallengesStore,
    private readonly checkCode: CheckCode,
    private readonly attempts: AttemptsStore,
    private readonly openSession: OpenSession,
    private readonly background: Background,
  ) {}

  /**
   * Tries are counted for the person and not for the challenge: a new one begins no new count.
   * @throws DomainError WRONG_CODE, CHALLENGE_ENDED, TOO_MANY_ATTEMPTS
   */
  async execute(token: string, code: string, device: Device): Promise<LoggedIn> {
    const userId = await this.challenges.find(token, device);
    if (!userId) throw challengeEnded();
    const source = sourceOf(device.address);
    const fromSource: Try[] = source ? [{ limit: LOGIN_FROM_SOURCE, subject: source }] : [];
    await this.checkCode.begin(userId, fromSource);
    const loggedIn = await this.database.transaction(async (tx) => {
      // First the account, as whoever changes the password does.
      const user = await this.users.hold(tx, userId);
      if (!user || !(await this.challenges.take(tx, token, device))) throw challengeEnded();
      await this.checkCode.use(tx, user, code);
      return this.openSession.execute(user, device, BY_SECOND_FACTOR, tx);
    });
    await Promise.all([this.checkCode.succeeded(userId), ...fromSource.map((tried) => this.attempts.takeBack(tried))]);
    this.background.wake();
    return loggedIn;
  }
}

function challengeEnded(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'CHALLENGE_ENDED',
    message: 'This log-in has ended, or began elsewhere. Begin again with the password.',
  });
}
