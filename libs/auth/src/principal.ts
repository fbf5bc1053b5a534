/** What a logged-in person may be. Each role includes the ones before it. */
export type Role = 'customer' | 'staff' | 'admin';

export interface Guest {
  readonly kind: 'guest';
}

/** A person whose access token was verified. */
export interface User {
  readonly kind: 'user';
  readonly userId: string;
  readonly email: string;
  readonly roles: readonly Role[];
}

/** On whose behalf a call is made. Which service made it is told apart, by `caller`. */
export type Principal = Guest | User;

export const GUEST: Guest = { kind: 'guest' };

/** Staff and administrators. */
export function isStaff(principal: Principal): boolean {
  return principal.kind === 'user' && (principal.roles.includes('staff') || principal.roles.includes('admin'));
}

/** Identifier of the logged-in person; undefined for a guest. */
export function userIdOf(principal: Principal): string | undefined {
  return principal.kind === 'user' ? principal.userId : undefined;
}
