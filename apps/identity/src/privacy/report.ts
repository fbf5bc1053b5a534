// What became of a person's data, service by service. Guarantees: of records that remain the last pass counts, of those that are
// gone all passes together; a pass whose answer was lost may have removed more than is told.
import type { Treatment } from '@souk/privacy';

/** One kind of records of one service. */
export interface Reported extends Treatment {
  readonly service: string;
}

export class Report {
  private readonly lines = new Map<string, Reported>();

  /** @param before what earlier passes reported */
  constructor(before: readonly Reported[]) {
    for (const line of before.filter(({ action }) => action === 'REMOVED')) this.lines.set(keyOf(line), line);
  }

  add(service: string, treatments: readonly Treatment[]): void {
    for (const treatment of treatments) {
      const line = { service, ...treatment };
      const known = this.lines.get(keyOf(line));
      this.lines.set(keyOf(line), { ...line, count: line.count + (known?.count ?? 0) });
    }
  }

  get all(): Reported[] {
    return [...this.lines.values()];
  }
}

function keyOf({ service, what, action }: Reported): string {
  return `${service} ${what} ${action}`;
}
