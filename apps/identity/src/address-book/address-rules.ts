// What a postal address must look like. Pure.
import { DomainError, invalid } from '@souk/errors';

export interface PostalAddress {
  readonly name: string;
  readonly line1: string;
  readonly line2: string;
  readonly city: string;
  readonly region: string;
  readonly postalCode: string;
  readonly country: string;
}

export const ADDRESSES_AT_MOST = 50;

const LENGTH_MAX = 200;
const COUNTRY = /^[A-Z]{2}$/;
const CONTROL = /\p{C}/u;

const FIELDS: Readonly<Record<Exclude<keyof PostalAddress, 'country'>, { path: string; needed: boolean }>> = {
  name: { path: 'address.name', needed: true },
  line1: { path: 'address.line1', needed: true },
  line2: { path: 'address.line2', needed: false },
  city: { path: 'address.city', needed: true },
  region: { path: 'address.region', needed: false },
  postalCode: { path: 'address.postal_code', needed: false },
};

/**
 * The address as it will be stored.
 * @throws DomainError INVALID_ARGUMENT with one violation per wrong field
 */
export function checkAddress(typed: PostalAddress | undefined): PostalAddress {
  if (!typed) throw invalid([{ field: 'address', description: 'is missing' }]);
  const address: PostalAddress = {
    name: tidy(typed.name),
    line1: tidy(typed.line1),
    line2: tidy(typed.line2),
    city: tidy(typed.city),
    region: tidy(typed.region),
    postalCode: tidy(typed.postalCode),
    country: tidy(typed.country),
  };
  const wrong = (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).flatMap((field) => {
    const description = fault(address[field], FIELDS[field].needed);
    return description ? [{ field: FIELDS[field].path, description }] : [];
  });
  if (!COUNTRY.test(address.country)) {
    wrong.push({ field: 'address.country', description: 'must be a code like DE' });
  }
  if (wrong.length > 0) throw invalid(wrong);
  return address;
}

function tidy(text: string): string {
  return text.trim().normalize('NFC');
}

function fault(text: string, needed: boolean): string | undefined {
  if (needed && text === '') return 'is missing';
  if (text.length > LENGTH_MAX) return `has at most ${LENGTH_MAX} characters`;
  return CONTROL.test(text) ? 'has no control characters' : undefined;
}

export function addressBookFull(): DomainError {
  return new DomainError({
    kind: 'refused',
    reason: 'ADDRESS_BOOK_FULL',
    message: `There are ${ADDRESSES_AT_MOST} addresses already. Delete one first.`,
  });
}

export function addressNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'ADDRESS_NOT_FOUND', message: 'There is no such address.' });
}

export function addressExists(): DomainError {
  return new DomainError({ kind: 'conflict', reason: 'ADDRESS_EXISTS', message: 'This address is there already.' });
}
