import { DomainError, hasReason } from '@souk/errors';
import { isUniqueViolation, type Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import type { FirstAdminAccount } from '../config.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import { checkRegistration } from './account-rules.js';
import type { User, UsersStore } from './users.store.js';

const NAME = 'Administrator';

/** Makes the first administrator: of the configuration when the service starts, or by an operator. There is never a second first one. */
export class FirstAdmin {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly hasher: PasswordHasher,
    private readonly logger: Logger,
    private readonly account: FirstAdminAccount | undefined,
  ) {}

  /** Nest calls it after the signing key is there and before anything is served. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.account || (await this.users.hasAdmin())) return;
    try {
      await this.make(this.account);
    } catch (error) {
      // Another replica was faster.
      if (hasReason(error, 'ADMIN_EXISTS')) return;
      if (!hasReason(error, 'EMAIL_OWNED')) throw error;
      this.logger.error(
        'SOUK_ADMIN_EMAIL belongs to a customer account; no administrator was made. Set another address.',
      );
    }
  }

  /**
   * Whoever sets the shop up vouches for the address. Safe when several try at once.
   * @throws DomainError ADMIN_EXISTS, EMAIL_OWNED, PASSWORD_TOO_WEAK, INVALID_ARGUMENT
   */
  async create(account: FirstAdminAccount): Promise<User> {
    const { email, password } = checkRegistration({ ...account, name: NAME });
    if (await this.users.hasAdmin()) throw adminExists();
    return this.make({ email, password });
  }

  private async make({ email, password }: FirstAdminAccount): Promise<User> {
    const passwordHash = await this.hasher.hash(password);
    try {
      const made = await this.insert(email, passwordHash);
      this.logger.info({ userId: made.userId }, 'made the first administrator');
      return made;
    } catch (error) {
      throw isUniqueViolation(error, 'users_verified_email') ? emailOwned() : error;
    }
  }

  private insert(email: string, passwordHash: string): Promise<User> {
    return this.database.transaction(async (tx) => {
      await this.users.lockAdmins(tx);
      if (await this.users.hasAdmin(tx)) throw adminExists();
      const roles = ['customer', 'staff', 'admin'];
      const { userId } = await this.users.insert(tx, { email, name: NAME, roles, passwordHash });
      return this.users.own(tx, userId, email);
    });
  }
}

function adminExists(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'ADMIN_EXISTS',
    message: 'There is an administrator already, who can give the role to others.',
  });
}

// Else whoever owns that account would become an administrator with a password that nobody here chose.
function emailOwned(): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'EMAIL_OWNED',
    message: 'The address belongs to a customer account. Choose another one.',
  });
}
