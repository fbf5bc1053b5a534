/** A row that was not imported. */
export interface Rejection {
  /** Line that the row begins on; 0 where the whole file is refused. */
  row: number;
  reason: string;
}

/** How many rejections are kept with their reasons. */
export const MAX_SHOWN_REJECTIONS = 1_000;

/** Counts all rejections and keeps the first 1,000, so that a file of nothing but bad rows fits into memory. */
export class Rejections {
  count = 0;
  readonly shown: Rejection[] = [];

  add(row: number, reason: string): void {
    this.count += 1;
    if (this.shown.length < MAX_SHOWN_REJECTIONS) this.shown.push({ row, reason });
  }

  addAll(other: Rejections): void {
    const room = MAX_SHOWN_REJECTIONS - this.shown.length;
    this.count += other.count;
    this.shown.push(...other.shown.slice(0, room));
  }
}
