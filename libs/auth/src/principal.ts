import type { Permission } from './permissions.js';

export interface Guest {
  readonly kind: 'guest';
}

/** A person whose access token was verified. */
export interface User {
  readonly kind: 'user';
  readonly userId: string;
  /** Empty where the account has no address. Proved to be the person's own only where `emailVerified` says so. */
  readonly email: string;
  readonly emailVerified: boolean;
  /** Names of built-in roles and of the shop's own ones. */
  readonly roles: readonly string[];
  readonly permissions: readonly Permission[];
  /** The session that the token was issued for. */
  readonly sessionId: string;
}

/** A program that logged in with a secret of its own. */
export interface Client {
  readonly kind: 'client';
  readonly clientId: string;
  readonly permissions: readonly Permission[];
}

/** A person who must set up a second factor before anything else. Whatever else lets guests in treats them as one. */
export interface Enrolling {
  readonly kind: 'enrolling';
  readonly userId: string;
  readonly sessionId: string;
}

/** On whose behalf a call is made. Which service made it is told apart, by `caller`. */
export type Principal = Guest | User | Client | Enrolling;

export const GUEST: Guest = { kind: 'guest' };

/** Whether the principal has the permission; an administrator has all of them. */
export function may(principal: Principal, permission: Permission): boolean {
  if (principal.kind !== 'user' && principal.kind !== 'client') return false;
  return principal.permissions.includes(permission) || isAdmin(principal);
}

/** Identifier of the logged-in person; undefined for guests and programs. */
export function userIdOf(principal: Principal): string | undefined {
  return principal.kind === 'user' ? principal.userId : undefined;
}

/** Who it is, in one word that no two principals share: for claims and records. Undefined for a guest. */
export function subjectOf(principal: Principal): string | undefined {
  if (principal.kind === 'client') return `client:${principal.clientId}`;
  return userIdOf(principal);
}

function isAdmin(principal: Principal): boolean {
  return principal.kind === 'user' && principal.roles.includes('admin');
}
