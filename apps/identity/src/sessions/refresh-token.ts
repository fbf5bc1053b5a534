// Refresh tokens: the session's identifier and a secret of 256 random bits, of which only the SHA-256 is stored. The
// identifier is in it so that a token that was replaced still leads to its session, which is what ends a stolen one.
import { createHash, randomBytes } from 'node:crypto';

export interface RefreshToken {
  readonly sessionId: string;
  readonly secretHash: Buffer;
}

const TOKEN = /^[A-Za-z0-9_-]{64}$/;
const ID_BYTES = 16;
const SECRET_BYTES = 32;

/** Makes a token of the session; the text goes to the client, the rest to the database. */
export function newRefreshToken(sessionId: string): RefreshToken & { readonly text: string } {
  const secret = randomBytes(SECRET_BYTES);
  const text = Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), secret]).toString('base64url');
  return { sessionId, secretHash: sha256(secret), text };
}

/** Reads a token that a client sent; undefined where it is none. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  if (!TOKEN.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const hex = bytes.subarray(0, ID_BYTES).toString('hex');
  const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { sessionId, secretHash: sha256(bytes.subarray(ID_BYTES)) };
}

function sha256(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
