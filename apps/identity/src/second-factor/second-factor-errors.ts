import { DomainError } from '@souk/errors';

// Not `unauthenticated`: what came with the code is good, and beginning again would be no better.
export function wrongCode(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'WRONG_CODE',
    message: 'The code is wrong, or was used before.',
  });
}

export function secondFactorExists(): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'SECOND_FACTOR_EXISTS',
    message: 'There is a second factor already. Remove it first.',
  });
}

export function secondFactorMissing(): DomainError {
  return new DomainError({ kind: 'refused', reason: 'SECOND_FACTOR_MISSING', message: 'There is no second factor.' });
}

export function secondFactorNotBegun(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'SECOND_FACTOR_NOT_BEGUN',
    message: 'Nothing waits for a code: begin, and confirm within an hour.',
  });
}
