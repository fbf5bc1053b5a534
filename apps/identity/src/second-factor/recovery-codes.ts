// Recovery codes: 80 random bits each, written so that they can be read from paper. Pure. They are stored as keyed digests: what
// is so short could be guessed from a plain one by whoever has the database.
import { createHmac, randomBytes } from 'node:crypto';

export const RECOVERY_CODES = 10;

// Crockford's alphabet: without I, L, O and U.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 16;
const CODE = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/** As many codes as a person has at a time, for their eyes alone. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, newCode);
}

/** The code as it is compared; undefined where the text is none. Letters that look like digits are taken for these. */
export function readRecoveryCode(typed: string): string | undefined {
  if (typed.length > 2 * LENGTH) return undefined;
  const read = typed.replace(/[\s-]/g, '').toUpperCase().replace(/[IL]/g, '1').replace(/O/g, '0');
  return CODE.test(read) ? read : undefined;
}

/** What is stored of a code that was read. */
export function digestOf(code: string, userId: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`${userId}\n${code}`).digest();
}

function newCode(): string {
  const letters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return letters.replace(/(.{4})(?=.)/g, '$1-');
}
