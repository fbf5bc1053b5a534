import { isUniqueViolation, type Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import type { FirstAdminAccount } from '../config.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { User, UsersStore } from './users.store.js';

/** Makes the administrator of the configuration when the service starts and nobody is one yet. */
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
    await this.execute();
  }

  /** Does nothing where there is an administrator; safe when replicas start at once. */
  async execute(): Promise<void> {
    if (!this.account || (await this.users.hasAdmin())) return;
    const { email, password } = this.account;
    const passwordHash = await this.hasher.hash(password);
    try {
      const made = await this.make(email, passwordHash);
      if (made) this.logger.info({ userId: made.userId }, 'made the first administrator');
    } catch (error) {
      if (!isUniqueViolation(error, 'users_verified_email')) throw error;
      // Whoever owns that account would become an administrator with a password that nobody here chose.
      this.logger.error(
        'SOUK_ADMIN_EMAIL belongs to a customer account; no administrator was made. Set another address.',
      );
    }
  }

  /** Whoever sets the shop up vouches for the address. */
  private make(email: string, passwordHash: string): Promise<User | undefined> {
    return this.database.transaction(async (tx) => {
      await this.users.lockAdmins(tx);
      if (await this.users.hasAdmin(tx)) return undefined;
      const roles = ['customer', 'staff', 'admin'];
      const { userId } = await this.users.insert(tx, { email, name: 'Administrator', roles, passwordHash });
      return this.users.own(tx, userId, email);
    });
  }
}
