/** Rows of one table by their key: as they were when they were locked, and as a transaction has decided since. */
export class LockedRows<T> {
  private readonly before: ReadonlyMap<string, T>;
  private readonly now: Map<string, T | undefined>;

  constructor(rows: readonly T[], keyOf: (row: T) => string) {
    this.before = new Map(rows.map((row) => [keyOf(row), row]));
    this.now = new Map(this.before);
  }

  get(key: string): T | undefined {
    return this.now.get(key);
  }

  set(key: string, row: T | undefined): void {
    this.now.set(key, row);
  }

  /** Rows that there were not. */
  get first(): T[] {
    return this.entries().flatMap(([before, after]) => (!before && after ? [after] : []));
  }

  get changed(): T[] {
    return this.entries().flatMap(([before, after]) => (before && after && after !== before ? [after] : []));
  }

  /** Rows that there are no longer. */
  get ended(): T[] {
    return this.entries().flatMap(([before, after]) => (before && !after ? [before] : []));
  }

  get differ(): boolean {
    return this.entries().some(([before, after]) => before !== after);
  }

  private entries(): [before: T | undefined, after: T | undefined][] {
    return [...this.now].map(([key, after]) => [this.before.get(key), after]);
  }
}
