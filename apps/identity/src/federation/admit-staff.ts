import { DomainError } from '@souk/errors';
import { CommitThenThrow, isUniqueViolation, type Database, type Transaction } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { lastAdmin } from '../accounts/delete-account.js';
import type { User, UsersStore } from '../accounts/users.store.js';
import type { Background } from '../background.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import { checkAssignment } from '../roles/role-rules.js';
import type { RolesStore } from '../roles/roles.store.js';
import { newSecretToken } from '../secret-token.js';
import type { Device } from '../sessions/device.js';
import { BY_PROVIDER } from '../sessions/methods.js';
import type { LoggedIn, OpenSession } from '../sessions/open-session.js';
import type { SessionsStore } from '../sessions/sessions.store.js';
import type { ProvidedIdentity } from './identity-provider.js';
import { nameOf, rolesOf, vouchedEmail } from './provider-claims.js';
import type { ProviderConfig } from './provider-config.js';
import type { ProviderLoginsStore } from './provider-logins.store.js';

/**
 * Opens a session for somebody whom the provider vouched for, in the account that is theirs, with the roles that the claims stand
 * for at this moment. Whom they stand for nothing any more loses roles and sessions.
 */
export class AdmitStaff {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly roles: RolesStore,
    private readonly sessions: SessionsStore,
    private readonly logins: ProviderLoginsStore,
    private readonly openSession: OpenSession,
    private readonly hasher: PasswordHasher,
    private readonly background: Background,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError NOT_STAFF, PROVIDER_EMAIL_UNVERIFIED, PROVIDER_ACCOUNT_TAKEN, LAST_ADMIN, ROLE_NOT_FOUND */
  async execute(identity: ProvidedIdentity, config: ProviderConfig, device: Device): Promise<LoggedIn> {
    // Nobody's: these people log in by the provider. Made here, since hashing takes longer than a transaction should.
    const passwordHash = await this.hasher.hash(newSecretToken().text);
    const admit = () =>
      this.database.transaction(async (tx) => {
        await this.users.lockAdmins(tx);
        const roles = rolesOf(identity.claims, config);
        const user = await this.accountOf(tx, identity, config, roles, passwordHash);
        const admitted = await this.assign(tx, user, roles);
        await this.logins.link(tx, identity.issuer, identity.subject, user.userId);
        return this.openSession.execute(admitted, device, BY_PROVIDER, tx);
      });
    const loggedIn = await admit().catch((error: unknown) => {
      // Somebody proved the address at the same moment: now there is an account to be found.
      if (isUniqueViolation(error, 'users_verified_email')) return admit();
      throw error;
    });
    this.background.wake();
    return loggedIn;
  }

  /** By who they are at the provider; the first time, by an address that the provider is believed about. */
  private async accountOf(
    tx: Transaction,
    { issuer, subject, claims }: ProvidedIdentity,
    config: ProviderConfig,
    roles: readonly string[],
    passwordHash: string,
  ): Promise<User> {
    const userId = await this.logins.findUser(tx, issuer, subject);
    const known = userId && (await this.users.lock(tx, userId));
    if (known) return known;
    if (roles.length === 0) throw notStaff();
    const email = vouchedEmail(claims, config);
    if (!email) throw emailUnverified();
    const found = await this.users.findOwner(email, tx);
    const owner = found && (await this.users.lock(tx, found.userId));
    if (!owner) return this.make(tx, email, nameOf(claims, email), passwordHash);
    if (await this.logins.isLinked(tx, issuer, owner.userId)) throw accountTaken();
    return owner;
  }

  private async make(tx: Transaction, email: string, name: string, passwordHash: string): Promise<User> {
    const { userId } = await this.users.insert(tx, { email, name, roles: ['customer'], passwordHash });
    return this.users.own(tx, userId, email);
  }

  private async assign(tx: Transaction, user: User, mapped: readonly string[]): Promise<User> {
    const roles = checkAssignment(mapped);
    const dismissed = user.roles.includes('admin') && !roles.includes('admin');
    if (dismissed && !(await this.users.hasAdmin(tx, user.userId))) throw lastAdmin();
    if (mapped.length === 0) {
      await this.users.setRoles(tx, user.userId, roles);
      await this.sessions.endAll(user.userId, undefined, tx);
      this.logger.warn({ userId: user.userId }, 'somebody has no role by the identity provider any more');
      throw new CommitThenThrow(notStaff());
    }
    await this.roles.hold(tx, roles);
    if (sameRoles(user.roles, roles)) return user;
    this.logger.info({ userId: user.userId, roles }, 'roles were assigned by the identity provider');
    return this.users.setRoles(tx, user.userId, roles);
  }
}

function sameRoles(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((role) => others.includes(role));
}

function notStaff(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'NOT_STAFF',
    message: 'The identity provider knows you, but gives you no role in this shop.',
  });
}

function emailUnverified(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'PROVIDER_EMAIL_UNVERIFIED',
    message: 'The identity provider does not vouch for an address of yours in a domain of the shop.',
  });
}

function accountTaken(): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'PROVIDER_ACCOUNT_TAKEN',
    message: 'The account with your address is that of somebody else at the identity provider.',
  });
}
