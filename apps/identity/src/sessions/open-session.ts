import type { Queryable } from '@souk/postgres';
import type { User } from '../accounts/users.store.js';
import type { AccessTokens } from '../tokens/access-tokens.js';
import type { Device } from './device.js';
import type { SessionsStore } from './sessions.store.js';

/** An account and the tokens of a session that is open for it. */
export interface LoggedIn {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Logs somebody in who has proved who they are. */
export class OpenSession {
  constructor(
    private readonly sessions: SessionsStore,
    private readonly accessTokens: AccessTokens,
  ) {}

  async execute(user: User, device: Device, within?: Queryable): Promise<LoggedIn> {
    const { sessionId, refreshToken } = await this.sessions.open(user.userId, device, within);
    return { user, refreshToken, accessToken: await this.accessTokens.issue(user, sessionId) };
  }
}
