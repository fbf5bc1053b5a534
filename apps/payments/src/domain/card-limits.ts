/** How many cards may be declined before no more are tried: per client address, per card and per account. */

export interface CardLimits {
  /** A number of 0 turns a limit off. */
  readonly perAddress: number;
  readonly perCard: number;
  readonly perAccount: number;
  readonly windowMs: number;
}

/** What the provider's refusal is called where the provider was not asked. */
export const ATTEMPTS_EXCEEDED = 'attempts_exceeded';

/** By whom a card is tried, as far as it is known; empty texts where it is not. */
export interface CardTry {
  readonly token: string;
  readonly clientDigest: string;
  readonly customerId: string;
}

/** What a try counts for, and how often it may. */
export interface Counted {
  readonly subject: string;
  readonly atMost: number;
}

export function countedFor({ token, clientDigest, customerId }: CardTry, limits: CardLimits): Counted[] {
  const all = [
    { scope: 'address', value: clientDigest, atMost: limits.perAddress },
    { scope: 'card', value: token, atMost: limits.perCard },
    { scope: 'account', value: customerId, atMost: limits.perAccount },
  ];
  return all
    .filter(({ value, atMost }) => value !== '' && atMost > 0)
    .map(({ scope, value, atMost }) => ({ subject: `${scope}:${value}`, atMost }));
}
