// What the claims of an ID token mean here. Pure. A claim that is not as expected means nothing.
import { tidyAddress } from '@souk/auth';
import { emailFault } from '../accounts/account-rules.js';
import type { ProviderConfig } from './provider-config.js';

export type Claims = Readonly<Record<string, unknown>>;

/** The roles that the claim stands for, each once; none for whom the shop does not know. */
export function rolesOf(claims: Claims, { rolesClaim, roles }: Pick<ProviderConfig, 'rolesClaim' | 'roles'>): string[] {
  const named = [claims[rolesClaim] ?? at(claims, rolesClaim.split('.'))].flat();
  const found = named.map((group) => (typeof group === 'string' ? roles.get(group) : undefined));
  return [...new Set(found.filter((role) => role !== undefined))];
}

/** The address that the provider vouches for, where it is believed; undefined in all other cases. */
export function vouchedEmail(
  claims: Claims,
  { emailDomains }: Pick<ProviderConfig, 'emailDomains'>,
): string | undefined {
  const { email, email_verified: verified } = claims;
  if (verified !== true || typeof email !== 'string') return undefined;
  const tidy = tidyAddress(email);
  const domain = tidy.slice(tidy.lastIndexOf('@') + 1).toLowerCase();
  return !emailFault(tidy) && emailDomains.includes(domain) ? tidy : undefined;
}

/** What to call the person. */
export function nameOf({ name }: Claims, email: string): string {
  const tidy =
    typeof name === 'string'
      ? name
          .normalize('NFC')
          .replace(/\p{C}+/gu, ' ')
          .trim()
      : '';
  return [...(tidy || email)].slice(0, 100).join('');
}

function at(claims: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Claims)[key] : undefined),
    claims,
  );
}
