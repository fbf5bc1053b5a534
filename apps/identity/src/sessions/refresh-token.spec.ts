import { randomBytes } from 'node:crypto';
import { firstRefreshToken, hashOf, nextRefreshToken, parseRefreshToken, textOf } from './refresh-token.js';

const FAMILY = 'b9b5dc2c-9f04-4f6b-8a1e-0c8d5c7d1f21';
const key = randomBytes(32);

describe('refresh tokens', () => {
  it('lead back to their family and their secret', () => {
    const token = firstRefreshToken(FAMILY);
    expect(parseRefreshToken(textOf(token))).toEqual(token);
  });

  it('are different each time', () => {
    expect(textOf(firstRefreshToken(FAMILY))).not.toBe(textOf(firstRefreshToken(FAMILY)));
  });

  it('carry nothing of what is stored', () => {
    const token = firstRefreshToken(FAMILY);
    expect(Buffer.from(textOf(token), 'base64url').includes(hashOf(token))).toBe(false);
  });

  it('are followed by one and the same token, that nobody can tell without the key', () => {
    const first = firstRefreshToken(FAMILY);
    const second = nextRefreshToken(first, key);
    expect(nextRefreshToken(first, key)).toEqual(second);
    expect(second.secret).not.toEqual(first.secret);
    expect(nextRefreshToken(first, randomBytes(32))).not.toEqual(second);
    expect(nextRefreshToken({ ...first, familyId: FAMILY.replace('b9', 'b8') }, key).secret).not.toEqual(second.secret);
  });

  it.each(['', 'x', 'a'.repeat(63), 'a'.repeat(65), '/'.repeat(64)])('does not take %j for one', (text) => {
    expect(parseRefreshToken(text)).toBeUndefined();
  });
});
