import type { CheckResult, Finding } from '@souk/operations';

const MOST_FINDINGS = 1_000;

/** What a check has seen so far: one finding for each subject, and no more than anybody would read. */
export class Findings {
  private readonly bySubject = new Map<string, Finding>();
  private compared = 0;

  count(things: number): void {
    this.compared += things;
  }

  add(finding: Finding): void {
    if (!this.full && !this.bySubject.has(finding.subject)) this.bySubject.set(finding.subject, finding);
  }

  /** Whether there is no room for more, so that looking on is of no use. */
  get full(): boolean {
    return this.bySubject.size >= MOST_FINDINGS;
  }

  get result(): CheckResult {
    return { compared: this.compared, findings: [...this.bySubject.values()] };
  }
}

/** What brings a payment to what the provider holds, and takes the steps that it is due. */
export function syncPayment(orderId: string): string {
  return `npm run ops -- payments sync ${orderId}`;
}

/** What no command can mend. */
export function byHand(reference: string): string {
  return `See to ${reference} in the provider's dashboard.`;
}
