/**
 * Keeps calls away from an instance that answers its health check and yet lets calls run into their deadlines, or says that it
 * cannot work now where others can: after five such calls in a row for a second, then for two, then for four. After that one
 * call tries it out, and its outcome decides.
 */
const FAILURES = 5;
const FIRST_MS = 1_000;
const LONGEST_MS = 4_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

export class Breaker {
  private failures = 0;
  private openings = 0;
  private openUntil = 0;
  private trying = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  get state(): BreakerState {
    if (this.openings === 0) return 'closed';
    return this.now() < this.openUntil ? 'open' : 'half-open';
  }

  /** Whether a call may be made now. */
  get allows(): boolean {
    return this.openings === 0 || (!this.trying && this.now() >= this.openUntil);
  }

  /** How long no call is let through, in milliseconds. */
  get restMs(): number {
    return Math.max(0, this.openUntil - this.now());
  }

  /** A call begins. */
  entered(): void {
    if (this.openings > 0) this.trying = true;
  }

  /** A call was answered. */
  succeeded(): void {
    this.failures = 0;
    this.openings = 0;
    this.trying = false;
  }

  /** A call failed in a way that says something of the instance. @returns whether the breaker has opened by it */
  failed(): boolean {
    const wasTrying = this.trying;
    this.trying = false;
    this.failures++;
    if (!wasTrying && (this.openings > 0 || this.failures < FAILURES)) return false;
    this.openUntil = this.now() + Math.min(FIRST_MS * 2 ** this.openings, LONGEST_MS);
    this.openings++;
    return true;
  }

  /** A call ended and nothing can be said by it. */
  leftOpen(): void {
    this.trying = false;
  }
}
