import { DomainError } from '@souk/errors';
import type { Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import type { UsersStore } from '../accounts/users.store.js';
import type { AccountMailsStore } from '../mails/account-mails.store.js';
import type { AccessTokens } from '../tokens/access-tokens.js';
import type { Device } from './device.js';
import type { LoggedIn } from './open-session.js';
import { parseRefreshToken, type RefreshToken } from './refresh-token.js';
import type { SessionsStore } from './sessions.store.js';

/** Exchanges a refresh token for the next pair, with the roles that the person has by now. */
export class RefreshSession {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly mails: AccountMailsStore,
    private readonly accessTokens: AccessTokens,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError SESSION_ENDED */
  async execute(text: string, device: Device): Promise<LoggedIn> {
    const token = parseRefreshToken(text);
    if (!token) throw sessionEnded();
    const rotation = await this.sessions.rotate(token, device);
    if (!rotation) await this.endStolen(token);
    const user = rotation && (await this.users.find(rotation.userId));
    if (!user) throw sessionEnded();
    return { user, refreshToken: rotation.refreshToken, ...(await this.accessTokens.issue(user, rotation)) };
  }

  /** Either a thief or the owner holds an old token, and nobody can tell which: both have to log in again. */
  private async endStolen(token: RefreshToken): Promise<void> {
    await this.database.transaction(async (tx) => {
      const userId = await this.sessions.endFamily(token, tx);
      const user = userId && (await this.users.find(userId, tx));
      if (!user) return;
      this.logger.warn({ userId }, 'a refresh token was used after it had been replaced; its session is ended');
      if (user.emailVerified) {
        await this.mails.want(tx, { kind: 'SESSION_ENDED', recipient: user.email, name: user.name, userId });
      }
    });
  }
}

/** What whoever has no session any more is told. */
export function sessionEnded(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'SESSION_ENDED',
    message: 'The session has ended. Log in again.',
  });
}
