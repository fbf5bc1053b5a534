import type { Permission, Principal } from '@souk/auth';
import { DomainError } from '@souk/errors';
import type { UsersStore } from '../accounts/users.store.js';
import type { ClientsStore } from '../clients/clients.store.js';
import type { Authority } from './role-rules.js';
import type { RolesStore } from './roles.store.js';

/**
 * What the caller may do at this moment, and not when the access token was issued: whoever was dismissed minutes ago must not
 * use what is left of it to let themselves in again.
 */
export class PresentAuthority {
  constructor(
    private readonly users: UsersStore,
    private readonly roles: RolesStore,
    private readonly clients: ClientsStore,
  ) {}

  /** @throws DomainError PERMISSION_DENIED */
  async require(principal: Principal, permission: Permission): Promise<Authority> {
    const authority = await this.of(principal);
    if (!authority?.admin && !authority?.permissions.includes(permission)) throw denied();
    return authority;
  }

  private async of(principal: Principal): Promise<Authority | undefined> {
    if (principal.kind === 'guest' || principal.kind === 'enrolling') return undefined;
    if (principal.kind === 'client') {
      const client = await this.clients.find(principal.clientId);
      return client && { admin: false, permissions: client.permissions };
    }
    const user = await this.users.find(principal.userId);
    return user && this.roles.authorityOf(user.roles);
  }
}

function denied(): DomainError {
  return new DomainError({ kind: 'forbidden', reason: 'PERMISSION_DENIED', message: 'You may not do this.' });
}
