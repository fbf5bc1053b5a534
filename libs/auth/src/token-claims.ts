// What a verified access token says of its bearer. Claims that are not understood are left out, never guessed: a permission
// of a later version opens nothing here. Tokens of people name their roles, so that what a built-in role may do is decided
// by the version that is asked.
import type { JWTPayload } from 'jose';
import { BUILT_IN_ROLES, isBuiltInRole, isPermission, type Permission } from './permissions.js';
import type { Client, Enrolling, User } from './principal.js';

/**
 * Of tokens with which nothing but a second factor can be set up. An audience of its own, so that whoever does not know of
 * them takes them for nobody's.
 */
export const ENROLMENT_AUDIENCE = 'souk-enrolment';

/** Who may come with a token. */
export type Bearer = User | Client | Enrolling;

/** @param payload of a token whose signature was verified */
export function toPrincipal(payload: JWTPayload): Bearer {
  const { sub = '', client_id: clientId, scope } = payload;
  if (payload.aud === ENROLMENT_AUDIENCE) return { kind: 'enrolling', userId: sub, sessionId: text(payload['sid']) };
  if (typeof clientId === 'string') return { kind: 'client', clientId, permissions: known(words(scope)) };
  const roles = strings(payload['roles']);
  return {
    kind: 'user',
    userId: sub,
    email: text(payload['email']),
    emailVerified: payload['email_verified'] === true,
    roles,
    permissions: known([...roles.filter(isBuiltInRole).flatMap((role) => BUILT_IN_ROLES[role]), ...words(scope)]),
    sessionId: text(payload['sid']),
  };
}

function known(names: readonly string[]): Permission[] {
  return [...new Set(names.filter(isPermission))];
}

function words(claim: unknown): string[] {
  return text(claim).split(' ');
}

function strings(claim: unknown): string[] {
  return Array.isArray(claim) ? claim.filter((item) => typeof item === 'string') : [];
}

function text(claim: unknown): string {
  return typeof claim === 'string' ? claim : '';
}
