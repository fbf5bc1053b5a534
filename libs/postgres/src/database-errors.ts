// What the trouble of a database means to its caller. A connection that breaks is DATABASE_UNAVAILABLE, and while a
// COMMIT is under way that means an unknown outcome: the work may or may not have been done, so it must be safe to repeat.
import type pg from 'pg';
import { DomainError, hasReason, isDomainError } from '@souk/errors';

/** Reason of the error for a database that cannot be reached or went away. */
export const DATABASE_UNAVAILABLE = 'DATABASE_UNAVAILABLE';

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const UNIQUE_VIOLATION = '23505';
const QUERY_CANCELED = '57014';
const LOCK_NOT_AVAILABLE = '55P03';
const CHARACTER_NOT_IN_REPERTOIRE = '22021';

// Shutting down, starting, too many connections, read-only after a failover, killed for idling; class 08 is the connection itself.
const AWAY = new Set(['57P01', '57P02', '57P03', '53300', '25006', '25P03', '57P05']);
const BROKEN =
  /Connection terminated|Connection ended|timeout exceeded when trying to connect|not queryable|Query read timeout|pool after calling end/;

/** True when the database refused a value that exists already; `constraint` narrows it to one constraint or index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return isSqlState(error, UNIQUE_VIOLATION) && (!constraint || (error as pg.DatabaseError).constraint === constraint);
}

/** True for the error that says that the database is away. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return hasReason(error, DATABASE_UNAVAILABLE);
}

/** True when a lock was not given within `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return isSqlState(error, LOCK_NOT_AVAILABLE);
}

/** True when the transaction did nothing and may succeed when repeated. */
export function isConflict(error: unknown): boolean {
  return isSqlState(error, SERIALIZATION_FAILURE) || isSqlState(error, DEADLOCK_DETECTED);
}

/** True when the connection must not be used again. */
export function isConnectionBroken(error: unknown): boolean {
  if (!isErrorLike(error) || isDomainError(error)) {
    return false;
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if ('severity' in error) {
    return AWAY.has(code) || code.startsWith('08');
  }
  return /^E[A-Z]{3,}/.test(code) || BROKEN.test(error.message);
}

/** Turns trouble of the database into a DomainError; leaves every other error as it is. */
export function translate(error: unknown): unknown {
  if (isConnectionBroken(error)) {
    return unavailable(DATABASE_UNAVAILABLE, 'The database cannot be reached.', error);
  }
  if (isSqlState(error, QUERY_CANCELED) || isLockTimeout(error)) {
    return unavailable('DATABASE_TIMEOUT', 'The database took too long.', error);
  }
  if (isConflict(error)) {
    return unavailable('DATABASE_CONTENTION', 'Too many changes of the same data at once; try again.', error);
  }
  if (isSqlState(error, CHARACTER_NOT_IN_REPERTOIRE)) {
    const message = 'A text has a character that cannot be kept or looked for, such as NUL.';
    return new DomainError({ kind: 'invalid', reason: 'INVALID_ARGUMENT', message, cause: error });
  }
  return error;
}

function isSqlState(error: unknown, code: string): boolean {
  return isErrorLike(error) && 'severity' in error && 'code' in error && error.code === code;
}

// By its shape: an error of a socket may come from another realm, in which `instanceof Error` is false.
function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}

function unavailable(reason: string, message: string, cause: unknown): DomainError {
  return new DomainError({ kind: 'unavailable', reason, message, cause });
}
