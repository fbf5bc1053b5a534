/**
 * How often calls may be repeated: once for every ten calls, and a hundred times at once after a quiet time, which is enough for
 * the calls that die with one instance. So a service that wakes up after an outage gets little more than its usual load.
 */
const MOST = 100;
const PER_CALL = 0.1;

export class RetryBudget {
  private left = MOST;

  /** A call was made for the first time. */
  earn(): void {
    this.left = Math.min(MOST, this.left + PER_CALL);
  }

  /** @returns false where there is nothing left */
  spend(): boolean {
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
