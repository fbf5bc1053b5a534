import type { Queryable } from '@souk/postgres';
import type { User } from '../accounts/users.store.js';
import type { AccessTokens, IssuedToken } from '../tokens/access-tokens.js';
import type { Device } from './device.js';
import type { Method } from './methods.js';
import type { SessionsStore } from './sessions.store.js';

/** An account and the tokens of a session that is open for it. */
export interface LoggedIn extends IssuedToken {
  readonly user: User;
  readonly refreshToken: string;
}

/** Logs somebody in who has proved who they are. */
export class OpenSession {
  constructor(
    private readonly sessions: SessionsStore,
    private readonly accessTokens: AccessTokens,
  ) {}

  /** @param methods by which they proved it */
  async execute(user: User, device: Device, methods: readonly Method[], within?: Queryable): Promise<LoggedIn> {
    const { sessionId, refreshToken } = await this.sessions.open(user.userId, device, methods, within);
    return { user, refreshToken, ...(await this.accessTokens.issue(user, { sessionId, methods })) };
  }
}
