/** How fields that several resources share go from the services' messages to REST. */
import type { Money } from '@souk/proto/type/v1';

export interface MoneyView {
  amount: number;
  currency: string;
}

/** @throws RangeError for an amount that a JSON number can't hold exactly, rather than to show a wrong one */
export function moneyView(money: Money): MoneyView {
  const amount = Number(money.amount);
  if (!Number.isSafeInteger(amount)) throw new RangeError('The amount does not fit into a JSON number.');
  return { amount, currency: money.currency };
}

/** A message field that its service always sets. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A service left out a field that it always sets.');
  return value;
}

export function timeView(time: Date | undefined): string {
  return required(time).toISOString();
}

/** The name of an enum value without its prefix: `STATE_PENDING` is `PENDING`. */
export function enumView<V extends string, P extends string>(prefix: P, value: `${P}${V}`): V {
  return value.slice(prefix.length) as V;
}

/** `{ [name]: value }`, or nothing where the service sent an empty text in place of nothing. */
export function present<N extends string>(name: N, value: string): { [K in N]?: string } {
  return value === '' ? {} : ({ [name]: value } as { [K in N]?: string });
}

export function nextCursorView(token: string): string | null {
  return token === '' ? null : token;
}
