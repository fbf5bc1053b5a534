// What an account must look like. Pure: every rule can be read and tested without a database.
import { DomainError, invalid, type FieldViolation } from '@souk/errors';
import { COMMON_PASSWORDS } from '../passwords/common-passwords.js';
import { tidyAddress } from '@souk/auth';

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

const EMAIL_MAX = 254;
const LOCAL_PART_MAX = 64;
const PASSWORD_MIN = 10;
const PASSWORD_MAX = 128;
const NAME_MAX = 100;

// No comments, quotes or lists as RFC 5322 knows them: what is stored here is put into the header of a mail one day.
const EMAIL =
  /^[\p{L}\p{N}\p{M}.!#$%&'*+/=?^_`{|}~-]+@[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?)*$/u;
const CONTROL = /\p{C}/u;

/**
 * The registration as it will be stored.
 * @throws DomainError PASSWORD_TOO_WEAK where only a well-known password is wrong with it, else INVALID_ARGUMENT with one
 * violation per wrong field
 */
export function checkRegistration(typed: Registration): Registration {
  const registration = { email: tidyAddress(typed.email), password: typed.password, name: tidyName(typed.name) };
  const wrong = [
    violation('email', emailFault(registration.email)),
    violation('password', passwordFault(registration.password)),
    violation('name', nameFault(registration.name)),
  ].flat();
  if (wrong.length > 0) throw invalid(wrong);
  if (isGuessable(registration)) throw tooWeak('password');
  return registration;
}

/**
 * The address as it will be stored.
 * @throws DomainError INVALID_ARGUMENT
 */
export function checkEmail(typed: string): string {
  const email = tidyAddress(typed);
  const wrong = violation('email', emailFault(email));
  if (wrong.length > 0) throw invalid(wrong);
  return email;
}

/**
 * The name as it will be stored.
 * @throws DomainError INVALID_ARGUMENT
 */
export function checkName(typed: string): string {
  const name = tidyName(typed);
  const wrong = violation('name', nameFault(name));
  if (wrong.length > 0) throw invalid(wrong);
  return name;
}

/**
 * Whether an account may have the password.
 * @param field what the caller calls it
 * @throws DomainError INVALID_ARGUMENT, PASSWORD_TOO_WEAK
 */
export function checkPassword(field: string, account: { email: string; password: string }): void {
  const wrong = violation(field, passwordFault(account.password));
  if (wrong.length > 0) throw invalid(wrong);
  if (isGuessable(account)) throw tooWeak(field);
}

/** What is wrong with the address, in words; undefined where nothing is. */
export function emailFault(email: string): string | undefined {
  if (email.length > EMAIL_MAX) return `An e-mail address has at most ${EMAIL_MAX} characters.`;
  if (!EMAIL.test(email) || email.indexOf('@') > LOCAL_PART_MAX) return 'This is not an e-mail address.';
  return undefined;
}

/** What is wrong with the password's form, in words; undefined where nothing is. */
export function passwordFault(password: string): string | undefined {
  const length = [...password].length;
  if (length >= PASSWORD_MIN && length <= PASSWORD_MAX) return undefined;
  return `A password has ${PASSWORD_MIN} to ${PASSWORD_MAX} characters.`;
}

function tidyName(typed: string): string {
  return typed.trim().normalize('NFC');
}

function nameFault(name: string): string | undefined {
  const length = [...name].length;
  if (length === 0 || length > NAME_MAX) return `A name has 1 to ${NAME_MAX} characters.`;
  return CONTROL.test(name) ? 'A name has no control characters.' : undefined;
}

/** Whether the password is among the first that anybody would try for this account. */
export function isGuessable({ email, password }: { email: string; password: string }): boolean {
  const tried = password.toLowerCase();
  return COMMON_PASSWORDS.has(tried) || tried === email.toLowerCase();
}

function violation(field: string, description: string | undefined): FieldViolation[] {
  return description ? [{ field, description }] : [];
}

function tooWeak(field: string): DomainError {
  const description = 'This password is among the first that anybody would try. Choose another one.';
  return new DomainError({
    kind: 'invalid',
    reason: 'PASSWORD_TOO_WEAK',
    message: description,
    violations: [{ field, description }],
  });
}
