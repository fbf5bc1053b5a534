import { DomainError } from '@souk/errors';
import type { Logger } from '@souk/telemetry';
import type { AccessTokens } from '../tokens/access-tokens.js';
import { parseRefreshToken } from './refresh-token.js';
import type { LoggedIn } from '../accounts/register.js';
import type { SessionsStore } from './sessions.store.js';
import type { UsersStore } from '../accounts/users.store.js';

/** Exchanges a refresh token for the next pair, with the roles that the person has by now. */
export class RefreshSession {
  constructor(
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly accessTokens: AccessTokens,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError SESSION_ENDED */
  async execute(text: string): Promise<LoggedIn> {
    const token = parseRefreshToken(text);
    if (!token) throw sessionEnded();
    const rotation = await this.sessions.rotate(token);
    if (rotation.outcome === 'reused') {
      // Either a thief or the owner holds an old token, and nobody can tell which: both have to log in again.
      this.logger.warn({ userId: rotation.userId }, 'a refresh token was used twice; its session is ended');
    }
    if (rotation.outcome !== 'rotated') throw sessionEnded();
    const user = await this.users.find(rotation.userId);
    if (!user) throw sessionEnded();
    return { user, refreshToken: rotation.refreshToken, accessToken: await this.accessTokens.issue(user) };
  }
}

function sessionEnded(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'SESSION_ENDED',
    message: 'The session has ended. Log in again.',
  });
}
