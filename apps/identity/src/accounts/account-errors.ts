import { DomainError } from '@souk/errors';

/** The link of a mail proves nothing: it was used, has ended, or was sent for another address. */
export function linkInvalid(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'LINK_INVALID',
    message: 'This link does not work any more, or not for this account. Ask for another one.',
  });
}

export function userNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'USER_NOT_FOUND', message: 'There is no such user.' });
}
