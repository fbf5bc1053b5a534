import { newRefreshToken, parseRefreshToken } from './refresh-token.js';

const SESSION = 'b9b5dc2c-9f04-4f6b-8a1e-0c8d5c7d1f21';

describe('refresh tokens', () => {
  it('lead back to their session and to what is stored of them', () => {
    const { text, ...token } = newRefreshToken(SESSION);
    expect(parseRefreshToken(text)).toEqual(token);
  });

  it('are different each time', () => {
    expect(newRefreshToken(SESSION).text).not.toBe(newRefreshToken(SESSION).text);
  });

  it('carry nothing of what is stored', () => {
    const { text, secretHash } = newRefreshToken(SESSION);
    expect(Buffer.from(text, 'base64url').includes(secretHash)).toBe(false);
  });

  it.each(['', 'x', 'a'.repeat(63), 'a'.repeat(65), '/'.repeat(64)])('does not take %j for one', (text) => {
    expect(parseRefreshToken(text)).toBeUndefined();
  });
});
