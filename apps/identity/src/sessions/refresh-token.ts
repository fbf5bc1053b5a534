// Refresh tokens: the identifier of their family and a secret of 256 bits, of which only the SHA-256 is stored. The
// identifier is in it so that a token that was replaced still leads to its session, which is what ends a stolen one. The
// first secret is random; each next one is made of the one before and a key that only identity has, so that a client that
// lost an answer can be given the same one again, though it is stored nowhere.
import { createHmac, randomBytes } from 'node:crypto';
import { sha256 } from '../secret-token.js';

export interface RefreshToken {
  readonly familyId: string;
  readonly secret: Buffer;
}

const TOKEN = /^[A-Za-z0-9_-]{64}$/;
const ID_BYTES = 16;
const SECRET_BYTES = 32;

/** Makes the first token of a family. */
export function firstRefreshToken(familyId: string): RefreshToken {
  return { familyId, secret: randomBytes(SECRET_BYTES) };
}

/** Makes the token that follows; the same one each time. */
export function nextRefreshToken({ familyId, secret }: RefreshToken, key: Buffer): RefreshToken {
  return { familyId, secret: createHmac('sha256', key).update(familyId).update(secret).digest() };
}

/** What the client gets. */
export function textOf({ familyId, secret }: RefreshToken): string {
  return Buffer.concat([Buffer.from(familyId.replaceAll('-', ''), 'hex'), secret]).toString('base64url');
}

/** What the database gets. */
export function hashOf({ secret }: RefreshToken): Buffer {
  return sha256(secret);
}

/** Reads a token that a client sent; undefined where it is none. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  if (!TOKEN.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const hex = bytes.subarray(0, ID_BYTES).toString('hex');
  const familyId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { familyId, secret: bytes.subarray(ID_BYTES) };
}
