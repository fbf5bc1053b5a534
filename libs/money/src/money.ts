// Money as a whole number of minor units. Guarantees: no rounding ever, no mixing of currencies, and no amount outside
// of int64, which is what the wire and the database hold; a breach is a DomainError, never a wrong number. Does not
// convert between currencies and does not divide.
import { DomainError } from '@souk/errors';

/** An amount in minor units (cents for USD) of a currency (ISO 4217). The same shape as souk.type.v1.Money. */
export interface Money {
  amount: bigint;
  currency: string;
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Makes an amount; the currency must be a known-looking ISO 4217 code and the amount fit into int64. */
export function money(amount: bigint | number, currency: string): Money {
  if (!/^[A-Z]{3}$/.test(currency)) {
    throw moneyError('CURRENCY_INVALID', 'A currency is three capital letters, for example USD.', { currency });
  }
  if (typeof amount === 'number' && !Number.isSafeInteger(amount)) {
    throw moneyError('AMOUNT_INVALID', 'An amount is a whole number of minor units.');
  }
  return { amount: checked(BigInt(amount)), currency };
}

/** The sum of two amounts of one currency. */
export function addMoney(a: Money, b: Money): Money {
  requireSameCurrency(a, b);
  return { amount: checked(a.amount + b.amount), currency: a.currency };
}

/** `a` less `b`; may be negative. */
export function subtractMoney(a: Money, b: Money): Money {
  requireSameCurrency(a, b);
  return { amount: checked(a.amount - b.amount), currency: a.currency };
}

/** The price of `quantity` pieces; the quantity is a whole number, not below 0. */
export function multiplyMoney(price: Money, quantity: number): Money {
  if (!Number.isSafeInteger(quantity) || quantity < 0) {
    throw moneyError('QUANTITY_INVALID', 'A quantity is a whole number, not below 0.');
  }
  return { amount: checked(price.amount * BigInt(quantity)), currency: price.currency };
}

/** The sum of any number of amounts; the currency is named, so that an empty sum has one too. */
export function sumMoney(amounts: Iterable<Money>, currency: string): Money {
  let total = money(0n, currency);
  for (const amount of amounts) {
    total = addMoney(total, amount);
  }
  return total;
}

/** Below 0, 0 or above 0, as for Array.sort; both must be of one currency. */
export function compareMoney(a: Money, b: Money): number {
  requireSameCurrency(a, b);
  if (a.amount === b.amount) {
    return 0;
  }
  return a.amount < b.amount ? -1 : 1;
}

/** True when amount and currency are the same; amounts of different currencies are never equal, not even 0. */
export function equalMoney(a: Money, b: Money): boolean {
  return a.amount === b.amount && a.currency === b.currency;
}

function requireSameCurrency(a: Money, b: Money): void {
  if (a.currency !== b.currency) {
    throw moneyError('CURRENCY_MISMATCH', `${a.currency} and ${b.currency} cannot be reckoned together.`);
  }
}

function checked(amount: bigint): bigint {
  if (amount > INT64_MAX || amount < INT64_MIN) {
    throw moneyError('AMOUNT_OUT_OF_RANGE', 'The amount is too large.');
  }
  return amount;
}

function moneyError(reason: string, message: string, metadata?: Record<string, string>): DomainError {
  return new DomainError({ kind: 'invalid', reason, message, metadata });
}
