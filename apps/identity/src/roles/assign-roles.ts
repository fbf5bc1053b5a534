import type { Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { userNotFound } from '../accounts/account-errors.js';
import { lastAdmin } from '../accounts/delete-account.js';
import type { User, UsersStore } from '../accounts/users.store.js';
import { checkAssignment, checkGrant, type Authority } from './role-rules.js';
import type { RolesStore } from './roles.store.js';

/** Replaces the roles of an account. */
export class AssignRoles {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly roles: RolesStore,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError USER_NOT_FOUND, ROLE_NOT_FOUND, GRANT_TOO_WIDE, LAST_ADMIN, INVALID_ARGUMENT */
  async execute(giver: Authority, by: string, userId: string, names: readonly string[]): Promise<User> {
    const roles = checkAssignment(names);
    const user = await this.database.transaction(async (tx) => {
      await this.users.lockAdmins(tx);
      await this.roles.hold(tx, roles);
      const present = await this.users.lock(tx, userId);
      if (!present) throw userNotFound();
      checkGrant(giver, await this.roles.authorityOf(present.roles, tx));
      checkGrant(giver, await this.roles.authorityOf(roles, tx));
      const dismissed = present.roles.includes('admin') && !roles.includes('admin');
      if (dismissed && !(await this.users.hasAdmin(tx, userId))) throw lastAdmin();
      return this.users.setRoles(tx, userId, roles);
    });
    this.logger.info({ userId, by, roles }, 'roles were assigned');
    return user;
  }
}
