// When two addresses are one. Guarantees: only such addresses have the same key as reach the same mailbox: the case of
// letters is no difference, nor is the notation of the domain. No other character is taken for a plain letter that looks
// like it; else whoever has a mailbox at a look-alike would own the address of another (CVE-2019-19844 and its kin).
import { domainToASCII } from 'node:url';

/** The form in which an address is kept and written to. */
export function tidyAddress(typed: string): string {
  return typed.trim().normalize('NFC');
}

/** What is compared of an address in place of its text. */
export function emailKey(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  return `${email.slice(0, at).toLowerCase()}@${domainToASCII(domain) || domain.toLowerCase()}`;
}
