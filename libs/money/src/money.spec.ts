import fc from 'fast-check';
import { addMoney, compareMoney, equalMoney, money, multiplyMoney, subtractMoney, sumMoney } from './money.js';

const refusal = (reason: string) => expect.objectContaining({ kind: 'invalid', reason }) as Error;
const INT64_MAX = 2n ** 63n - 1n;
const amounts = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
const usd = amounts.map((amount) => money(amount, 'USD'));

describe('money', () => {
  it('refuses what is no currency code', () => {
    expect(() => money(1n, 'usd')).toThrow(refusal('CURRENCY_INVALID'));
    expect(() => money(1n, 'EURO')).toThrow(refusal('CURRENCY_INVALID'));
  });

  it('takes whole numbers only', () => {
    expect(money(1999, 'USD')).toEqual({ amount: 1999n, currency: 'USD' });
    expect(() => money(19.99, 'USD')).toThrow(refusal('AMOUNT_INVALID'));
  });

  it('refuses amounts outside of int64', () => {
    expect(money(INT64_MAX, 'USD').amount).toBe(INT64_MAX);
    expect(() => money(INT64_MAX + 1n, 'USD')).toThrow(refusal('AMOUNT_OUT_OF_RANGE'));
    expect(() => addMoney(money(INT64_MAX, 'USD'), money(1n, 'USD'))).toThrow(refusal('AMOUNT_OUT_OF_RANGE'));
    expect(() => multiplyMoney(money(INT64_MAX, 'USD'), 2)).toThrow(refusal('AMOUNT_OUT_OF_RANGE'));
  });

  it('does not reckon two currencies together', () => {
    const [dollar, euro] = [money(1n, 'USD'), money(1n, 'EUR')];
    expect(() => addMoney(dollar, euro)).toThrow(refusal('CURRENCY_MISMATCH'));
    expect(() => compareMoney(dollar, euro)).toThrow(refusal('CURRENCY_MISMATCH'));
    expect(() => sumMoney([dollar], 'EUR')).toThrow(refusal('CURRENCY_MISMATCH'));
    expect(equalMoney(money(0n, 'USD'), money(0n, 'EUR'))).toBe(false);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the quantity %p', (quantity) => {
    expect(() => multiplyMoney(money(1n, 'USD'), quantity)).toThrow(refusal('QUANTITY_INVALID'));
  });

  it('adds in any order and takes away what was added', () => {
    fc.assert(
      fc.property(usd, usd, (a, b) => {
        expect(addMoney(a, b)).toEqual(addMoney(b, a));
        expect(subtractMoney(addMoney(a, b), b)).toEqual(a);
      }),
    );
  });

  it('multiplies like repeated adding', () => {
    fc.assert(
      fc.property(usd, fc.integer({ min: 0, max: 50 }), (price, quantity) => {
        const oneByOne = sumMoney(
          Array.from({ length: quantity }, () => price),
          'USD',
        );
        expect(multiplyMoney(price, quantity)).toEqual(oneByOne);
      }),
    );
  });

  it('orders amounts like whole numbers', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const order = compareMoney(money(a, 'USD'), money(b, 'USD'));
        expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});
