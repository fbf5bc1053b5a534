import { DomainError } from '@souk/errors';
import type { AccessTokens } from '../tokens/access-tokens.js';
import { passwordFault } from '../accounts/account-rules.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { LoggedIn } from '../accounts/register.js';
import type { SessionsStore } from './sessions.store.js';
import type { UsersStore } from '../accounts/users.store.js';

/** Opens a session for whoever knows the password. */
export class Login {
  constructor(
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly hasher: PasswordHasher,
    private readonly accessTokens: AccessTokens,
  ) {}

  /**
   * An unknown address and a wrong password take the same time and have the same answer, so that nobody learns who has
   * an account.
   * @throws DomainError WRONG_CREDENTIALS
   */
  async execute(email: string, password: string): Promise<LoggedIn> {
    const found = await this.users.findByEmail(email.trim().normalize('NFC'));
    // A text that can't be a password is not worth hashing, as long as the decoy takes its time.
    const possible = passwordFault(password) === undefined;
    const matches = await this.hasher.matches(possible ? password : '', found?.passwordHash);
    if (!found || !possible || !matches) throw wrongCredentials();
    const { passwordHash: _, ...user } = found;
    const refreshToken = await this.sessions.open(user.userId);
    return { user, refreshToken, accessToken: await this.accessTokens.issue(user) };
  }
}

function wrongCredentials(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'WRONG_CREDENTIALS',
    message: 'The e-mail address or the password is wrong.',
  });
}
