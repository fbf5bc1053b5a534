import { hasReason } from '@souk/errors';
import type { Logger } from '@souk/telemetry';
import type { FirstAdminAccount } from '../config.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { UsersStore } from './users.store.js';

/** Makes the administrator of the configuration when the service starts and nobody is one yet. */
export class FirstAdmin {
  constructor(
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
      const admin = { email, name: 'Administrator', roles: ['customer', 'staff', 'admin'] as const, passwordHash };
      const made = await this.users.insertFirstAdmin(admin);
      if (made) this.logger.info({ userId: made.userId }, 'made the first administrator');
    } catch (error) {
      if (!hasReason(error, 'EMAIL_TAKEN')) throw error;
      // Whoever registered that address would become an administrator with a password that nobody here chose.
      this.logger.error(
        'SOUK_ADMIN_EMAIL belongs to a customer account; no administrator was made. Set another address.',
      );
    }
  }
}
