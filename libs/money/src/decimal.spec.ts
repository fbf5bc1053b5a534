import fc from 'fast-check';
import { formatMoney, minorDigits, parseDecimal, toDecimal } from './decimal.js';
import { money } from './money.js';

const refusal = (reason: string) => expect.objectContaining({ kind: 'invalid', reason }) as Error;

describe('minorDigits', () => {
  it.each([
    ['USD', 2],
    ['JPY', 0],
    ['KWD', 3],
  ])('knows %s', (currency, digits) => expect(minorDigits(currency)).toBe(digits));
});

describe('parseDecimal', () => {
  it.each([
    ['19.99', 'USD', 1999n],
    ['19.9', 'USD', 1990n],
    ['19', 'USD', 1900n],
    [' 0.05 ', 'EUR', 5n],
    ['1999', 'JPY', 1999n],
    ['1.234', 'KWD', 1234n],
    ['90071992547409.93', 'USD', 9007199254740993n],
  ])('reads %p %s exactly', (text, currency, amount) => {
    expect(parseDecimal(text, currency)).toEqual({ amount, currency });
  });

  it.each(['-1', '+1', '1.999', '1,000', '1e3', '', '.5', '5.', 'NaN', 'Infinity', '١'])('refuses %p', (text) => {
    expect(() => parseDecimal(text, 'USD')).toThrow(refusal('AMOUNT_INVALID'));
  });

  it('refuses digits that the currency lacks', () => {
    expect(() => parseDecimal('19.5', 'JPY')).toThrow(refusal('AMOUNT_INVALID'));
  });

  it('refuses what does not fit into int64', () => {
    expect(() => parseDecimal('92233720368547758.08', 'USD')).toThrow(refusal('AMOUNT_OUT_OF_RANGE'));
  });

  it('reads back every amount that toDecimal writes', () => {
    const amounts = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(amounts, fc.constantFrom('USD', 'JPY', 'KWD'), (amount, currency) => {
        expect(parseDecimal(toDecimal(money(amount, currency)), currency)).toEqual({ amount, currency });
      }),
    );
  });
});

describe('writing amounts', () => {
  it('writes for programs', () => {
    expect(toDecimal(money(5n, 'USD'))).toBe('0.05');
    expect(toDecimal(money(-1999n, 'USD'))).toBe('-19.99');
    expect(toDecimal(money(1999n, 'JPY'))).toBe('1999');
  });

  it('writes for people, exactly also where a floating-point number would not be', () => {
    expect(formatMoney(money(1999n, 'USD'))).toBe('$19.99');
    expect(formatMoney(money(1999n, 'JPY'))).toBe('¥1,999');
    expect(formatMoney(money(9007199254740993n, 'USD'))).toBe('$90,071,992,547,409.93');
  });
});
