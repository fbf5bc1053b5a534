import type { OutboxRelay } from '@souk/outbox';
import type { AccessTokens } from '../tokens/access-tokens.js';
import { checkRegistration, type Registration } from './account-rules.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { SessionsStore } from '../sessions/sessions.store.js';
import type { User, UsersStore } from './users.store.js';

/** An account and the tokens of a session that is open for it. */
export interface LoggedIn {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Makes a customer account and logs it in. */
export class Register {
  constructor(
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly hasher: PasswordHasher,
    private readonly accessTokens: AccessTokens,
    private readonly outbox: OutboxRelay,
  ) {}

  /** @throws DomainError EMAIL_TAKEN, PASSWORD_TOO_WEAK, INVALID_ARGUMENT */
  async execute(typed: Registration): Promise<LoggedIn> {
    const { email, password, name } = checkRegistration(typed);
    const passwordHash = await this.hasher.hash(password);
    let refreshToken = '';
    const user = await this.users.insert({ email, name, roles: ['customer'], passwordHash }, async (tx, { userId }) => {
      refreshToken = await this.sessions.open(userId, tx);
    });
    this.outbox.wake();
    return { user, refreshToken, accessToken: await this.accessTokens.issue(user) };
  }
}
