import { isDomainError } from '@souk/errors';

const MOST_KEPT = 500;
const GOOD_FOR_MS = 10 * 60_000;

interface Kept<T> {
  readonly answer: T;
  readonly at: number;
}

/**
 * The last answers of a service, for while it is away: up to 500, those asked for last, none older than ten minutes. Only for what is
 * the same for everybody and decides nothing: an order takes its prices from the catalogue itself.
 */
export class LastKnown<T> {
  private readonly kept = new Map<string, Kept<T>>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns the answer, and how many seconds old it is where the service could not be asked */
  async read(key: string, ask: () => Promise<T>): Promise<{ answer: T; ageSeconds?: number }> {
    try {
      const answer = await ask();
      this.keep(key, answer);
      return { answer };
    } catch (error) {
      // It may be gone for good.
      if (!isAway(error)) this.kept.delete(key);
      const found = this.kept.get(key);
      if (!found || this.now() - found.at > GOOD_FOR_MS) throw error;
      return { answer: found.answer, ageSeconds: Math.round((this.now() - found.at) / 1_000) };
    }
  }

  private keep(key: string, answer: T): void {
    this.kept.delete(key);
    this.kept.set(key, { answer, at: this.now() });
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}

function isAway(error: unknown): boolean {
  return isDomainError(error) && error.kind === 'unavailable';
}
