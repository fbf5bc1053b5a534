// What machine clients may ask for, and how their secrets look. Pure.
import { isPermission, type Permission } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { hashOfToken, type SecretToken } from '../secret-token.js';

export const CLIENTS_AT_MOST = 200;
export const SECRETS_AT_MOST = 2;

/** So that whoever finds one in a file, or a program that looks for them, knows what it is. */
const PREFIX = 'souk_';

/** The secret as its client gets it. */
export function secretText({ text }: SecretToken): string {
  return `${PREFIX}${text}`;
}

/** What is stored of a secret that somebody presents; undefined where it is none. */
export function hashOfSecret(secret: string): Buffer | undefined {
  return secret.startsWith(PREFIX) ? hashOfToken(secret.slice(PREFIX.length)) : undefined;
}

/**
 * What a token shall carry of what its client may do.
 * @param scope permissions with blanks between them; empty for all
 * @throws DomainError INVALID_SCOPE
 */
export function scopeOf(scope: string, permissions: readonly Permission[]): readonly Permission[] {
  const asked = [...new Set(scope.split(' ').filter(Boolean))];
  if (asked.length === 0) return permissions;
  const granted = asked.filter(isPermission).filter((permission) => permissions.includes(permission));
  if (granted.length < asked.length) throw invalidScope();
  return granted;
}

function invalidScope(): DomainError {
  return new DomainError({
    kind: 'invalid',
    reason: 'INVALID_SCOPE',
    message: 'The scope names a permission that there is not, or that the client does not have.',
  });
}

export function invalidClient(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'INVALID_CLIENT',
    message: 'There is no such client, or its secret is wrong.',
  });
}

export function clientNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'CLIENT_NOT_FOUND', message: 'There is no such client.' });
}

export function tooManyClients(): DomainError {
  const message = `There are ${CLIENTS_AT_MOST} clients already. Revoke one first.`;
  return new DomainError({ kind: 'refused', reason: 'CLIENT_LIMIT', message });
}
