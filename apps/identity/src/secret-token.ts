// Tokens that let in whoever has them: 256 random bits, of which only the SHA-256 is stored. A fast digest is enough, since
// what is random in all of its bits can't be guessed, however fast the guesses are.
import { createHash, randomBytes } from 'node:crypto';

const BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface SecretToken {
  /** For its owner, and shown to nobody else. */
  readonly text: string;
  /** For the database. */
  readonly hash: Buffer;
}

export function newSecretToken(): SecretToken {
  const bytes = randomBytes(BYTES);
  return { text: bytes.toString('base64url'), hash: sha256(bytes) };
}

/** What is stored of a token that somebody presents; undefined where it is none. */
export function hashOfToken(text: string): Buffer | undefined {
  return TOKEN.test(text) ? sha256(Buffer.from(text, 'base64url')) : undefined;
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
