import type { CheckResult, Finding } from '@souk/operations';

const MOST_FINDINGS = 1_000;

/** What a check has seen so far: one finding for each subject, and no more than anybody would read. */
export class Findings {
  private readonly bySubject = new Map<string, Finding>();
  private compared = 0;

  /** @param found what is wrong with each of the things that were compared */
  add(found: readonly (Finding | undefined)[]): void {
    this.compared += found.length;
    for (const finding of found) {
      if (finding && !this.full && !this.bySubject.has(finding.subject)) this.bySubject.set(finding.subject, finding);
    }
  }

  /** Whether there is no room for more, so that looking on is of no use. */
  get full(): boolean {
    return this.bySubject.size >= MOST_FINDINGS;
  }

  get result(): CheckResult {
    return { compared: this.compared, findings: [...this.bySubject.values()] };
  }
}
