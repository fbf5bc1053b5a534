import { randomBytes } from 'node:crypto';
import { KeyCipher } from './key-cipher.js';

const newSecret = () => randomBytes(32).toString('base64');

describe('sealed keys', () => {
  const cipher = new KeyCipher(newSecret());
  const sealed = cipher.seal('one', Buffer.from('private'));

  it('open with the secret that sealed them', () => {
    expect(cipher.open('one', sealed)?.toString()).toBe('private');
    expect(sealed.includes('private')).toBe(false);
  });

  it('stay shut for another secret, another identifier and after a change', () => {
    const changed = Buffer.from(sealed);
    changed[changed.length - 1]! ^= 1;
    expect(new KeyCipher(newSecret()).open('one', sealed)).toBeUndefined();
    expect(cipher.open('two', sealed)).toBeUndefined();
    expect(cipher.open('one', changed)).toBeUndefined();
    expect(cipher.open('one', sealed.subarray(0, 20))).toBeUndefined();
  });

  it('need a secret of 32 bytes', () => {
    expect(() => new KeyCipher(randomBytes(16).toString('base64'))).toThrow('32 bytes');
  });
});
