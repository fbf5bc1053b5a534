// What roles may be, and who may give them. Pure. Nobody gives or takes what they do not have themselves: else whoever may
// make roles could make themselves anything.
import { BUILT_IN_ROLES, isBuiltInRole, isPermission, type Permission } from '@souk/auth';
import { DomainError, invalid } from '@souk/errors';

/** What somebody may do at this moment. */
export interface Authority {
  readonly admin: boolean;
  readonly permissions: readonly Permission[];
}

export const ROLES_AT_MOST = 100;
export const ROLES_OF_A_USER = 10;

const NAME = /^[a-z][a-z0-9-]{0,39}$/;

/** @throws DomainError INVALID_ARGUMENT */
export function checkRoleName(name: string): void {
  if (NAME.test(name)) return;
  const description = 'A role has a name of small letters, digits and hyphens, 40 at most.';
  throw invalid([{ field: 'name', description }]);
}

/**
 * The permissions, each once.
 * @throws DomainError INVALID_ARGUMENT
 */
export function checkPermissions(names: readonly string[], field = 'permissions'): Permission[] {
  const unknown = names.filter((name) => !isPermission(name));
  if (unknown.length > 0) {
    throw invalid([{ field, description: `There is no permission ${unknown.slice(0, 3).join(', ')}.` }]);
  }
  return [...new Set(names.filter(isPermission))];
}

/** The roles that an account shall have: everybody is a customer. */
export function checkAssignment(names: readonly string[]): string[] {
  const roles = [...new Set(['customer', ...names])];
  if (roles.length <= ROLES_OF_A_USER) return roles;
  throw invalid([{ field: 'roles', description: `An account has at most ${ROLES_OF_A_USER} roles.` }]);
}

/** @throws DomainError ROLE_BUILT_IN */
export function refuseBuiltIn(name: string): void {
  if (!isBuiltInRole(name)) return;
  throw new DomainError({
    kind: 'refused',
    reason: 'ROLE_BUILT_IN',
    message: `Every shop has the role ${name}; it cannot be changed.`,
  });
}

/** What somebody with these roles may do. */
export function authorityOf(roles: readonly string[], ofOwnRoles: readonly Permission[]): Authority {
  const permissions = roles.filter(isBuiltInRole).flatMap((role) => BUILT_IN_ROLES[role]);
  return { admin: roles.includes('admin'), permissions: [...new Set([...permissions, ...ofOwnRoles])] };
}

/**
 * Whether somebody may give or take all of that.
 * @throws DomainError GRANT_TOO_WIDE
 */
export function checkGrant(giver: Authority, given: Authority): void {
  if (giver.admin) return;
  const missing = given.permissions.filter((permission) => !giver.permissions.includes(permission));
  if (!given.admin && missing.length === 0) return;
  throw new DomainError({
    kind: 'forbidden',
    reason: 'GRANT_TOO_WIDE',
    message: 'You may give and take only what you have yourself.',
    metadata: { missing: given.admin ? 'admin' : missing.join(' ') },
  });
}

export function roleNotFound(name: string): DomainError {
  const metadata = { role: name };
  return new DomainError({ kind: 'not_found', reason: 'ROLE_NOT_FOUND', message: 'There is no such role.', metadata });
}
