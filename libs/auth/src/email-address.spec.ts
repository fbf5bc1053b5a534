import { emailKey, tidyAddress } from './email-address.js';

describe('addresses are one', () => {
  it.each([
    ['Ada@Example.com', 'ada@EXAMPLE.COM'],
    ['zoë@exämple.com', 'ZOË@xn--exmple-cua.com'],
    ['zoe\u0308@example.com', 'zo\u00eb@example.com'],
    [' ada@example.com ', 'ada@example.com'],
  ])('%j and %j', (one, other) => {
    expect(emailKey(tidyAddress(one))).toBe(emailKey(tidyAddress(other)));
  });
});

describe('addresses are two', () => {
  it.each([
    ['ada@example.com', 'ada+shop@example.com'],
    ['ada.l@example.com', 'adal@example.com'],
    ['ada@example.com', 'ada@example.org'],
    ['ss@example.com', 'ß@example.com'],
    ['i@example.com', 'ı@example.com'],
    ['i@example.com', 'İ@example.com'],
  ])('%j and %j', (one, other) => {
    expect(emailKey(tidyAddress(one))).not.toBe(emailKey(tidyAddress(other)));
  });

  it('where one of them has a character that only looks like a plain letter', () => {
    const alike: string[] = [];
    for (let point = 0x80; point <= 0x10ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const kept = tidyAddress(`x${String.fromCodePoint(point)}@example.com`);
      // What is kept in plain letters is also written to in plain letters.
      if (isPlain(kept)) continue;
      if (isPlain(emailKey(kept))) alike.push(point.toString(16));
    }
    expect(alike).toEqual([]);
  });
});

function isPlain(text: string): boolean {
  return [...text].every((character) => character < '\u0080');
}
