// Amounts as people write them. Guarantees: reading and writing are exact, and a text with more digits than the
// currency has is refused instead of rounded. Digits after the point come from the runtime's currency tables (CLDR).
import { DomainError } from '@souk/errors';
import { money, type Money } from './money.js';

const digitsByCurrency = new Map<string, number>();

/** How many digits the currency has after the point: 2 for USD, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  let digits = digitsByCurrency.get(currency);
  if (digits === undefined) {
    money(0n, currency);
    digits = formatter(currency).resolvedOptions().maximumFractionDigits ?? 2;
    digitsByCurrency.set(currency, digits);
  }
  return digits;
}

/** Reads `19.99` as an amount. Refuses signs, exponents, thousands separators and digits that the currency lacks. */
export function parseDecimal(text: string, currency: string): Money {
  const digits = minorDigits(currency);
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text.trim());
  const fraction = match?.[2] ?? '';
  if (!match?.[1] || fraction.length > digits) {
    throw new DomainError({
      kind: 'invalid',
      reason: 'AMOUNT_INVALID',
      message: `An amount in ${currency} is written with digits and at most ${digits} digits after a point.`,
    });
  }
  return money(BigInt(match[1] + fraction.padEnd(digits, '0')), currency);
}

/** Writes the amount for a program: `19.99`, without the currency. */
export function toDecimal({ amount, currency }: Money): string {
  const digits = minorDigits(currency);
  const negative = amount < 0n;
  const text = (negative ? -amount : amount).toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${negative ? '-' : ''}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ''}`;
}

/** Writes the amount for a person: `$19.99`. Exact for every amount. */
export function formatMoney(amount: Money, locale = 'en-US'): string {
  // Intl formats decimal strings without going through a floating-point number.
  return formatter(amount.currency, locale).format(toDecimal(amount) as Intl.StringNumericLiteral);
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(currency: string, locale = 'en-US'): Intl.NumberFormat {
  const key = `${locale} ${currency}`;
  let format = formatters.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, { style: 'currency', currency });
    formatters.set(key, format);
  }
  return format;
}
