import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { enrolmentOf, newTotpSecret, stepOf } from './totp.js';

/** RFC 6238 with nothing but its own words, to hold the library to. */
function codeAt(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = mac[19]! & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

describe('codes of authenticator apps', () => {
  // Appendix B of RFC 6238, whose codes have eight digits: the last six of them are the code of six.
  const RFC_SECRET = Buffer.from('12345678901234567890');
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('are those of the standard: at %i %s', (seconds, code) => {
    expect(stepOf(RFC_SECRET, code.slice(2), seconds)).toBe(Math.floor(seconds / 30));
    expect(codeAt(RFC_SECRET, Math.floor(seconds / 30))).toBe(code.slice(2));
  });

  const secret = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  const step = fc.integer({ min: 2, max: 200_000_000 });
  const within = fc.integer({ min: 0, max: 29 });

  it('count in their half minute and those beside it', () => {
    fc.assert(
      fc.property(secret, step, within, fc.constantFrom(-1, 0, 1), (key, at, seconds, skew) => {
        // Codes of two steps may be alike, by chance: then the one that is found is one of these.
        const found = stepOf(key, codeAt(key, at + skew), at * 30 + seconds);
        expect(found).toBeDefined();
        expect(codeAt(key, found!)).toBe(codeAt(key, at + skew));
        expect(Math.abs(found! - at)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('count at no other time', () => {
    const far = fc.integer({ min: 2, max: 100_000 }).chain((n) => fc.constantFrom(-n, n));
    fc.assert(
      fc.property(secret, fc.integer({ min: 100_001, max: 200_000_000 }), within, far, (key, at, seconds, skew) => {
        const code = codeAt(key, at + skew);
        fc.pre([-1, 0, 1].every((near) => codeAt(key, at + near) !== code));
        expect(stepOf(key, code, at * 30 + seconds)).toBeUndefined();
      }),
    );
  });

  it.each(['', '12345', '1234567', '12345a', '１２３４５６', ' 123456', '-12345', '1e5000', '123456\n'])(
    'are not %j',
    (text) => {
      expect(stepOf(RFC_SECRET, text, 59)).toBeUndefined();
    },
  );

  it('are made of secrets of 160 random bits', () => {
    const secrets = Array.from({ length: 100 }, newTotpSecret);
    expect(new Set(secrets.map((made) => made.toString('hex'))).size).toBe(100);
    expect(secrets.every((made) => made.length === 20)).toBe(true);
  });

  it('are set up by an address that apps read', () => {
    const { uri, secret: typed } = enrolmentOf(RFC_SECRET, 'shop.example', 'ada+1@example.com');
    expect(typed).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    const url = new URL(uri);
    expect([url.protocol, url.host, decodeURIComponent(url.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/shop.example:ada+1@example.com',
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      issuer: 'shop.example',
      secret: typed,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});
