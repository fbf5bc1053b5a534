import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An identifier that looks like Stripe's: `pi_3Q...`. */
export function newId(prefix: 'pi' | 'ch' | 're' | 'dp' | 'evt' | 'req' | 'dlv'): string {
  return `${prefix}_${randomText(24)}`;
}

export function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
