import { newRecoveryCodes, readRecoveryCode } from './recovery-codes.js';

describe('recovery codes', () => {
  it('are ten, and no two alike', () => {
    const codes = Array.from({ length: 50 }, newRecoveryCodes);
    expect(codes.every((some) => some.length === 10)).toBe(true);
    expect(new Set(codes.flat()).size).toBe(500);
    expect(codes.flat().every((code) => /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/.test(code))).toBe(true);
  });

  it('are read however they were typed', () => {
    expect(readRecoveryCode('ABCD-EFGH-JKMN-0117')).toBe('ABCDEFGHJKMN0117');
    expect(readRecoveryCode(' abcd efgh\tjkmn oil7 ')).toBe('ABCDEFGHJKMN0117');
  });

  it.each(['', '123456', 'ABCD-EFGH-JKMN', 'ABCD-EFGH-JKMN-011U', 'ABCD-EFGH-JKMN-01177', '-'.repeat(10_000)])(
    'are not %j',
    (typed) => {
      expect(readRecoveryCode(typed)).toBeUndefined();
    },
  );
});
