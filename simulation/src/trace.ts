/** What happened, line by line, for people to read. Costs nothing where nobody reads it. */
import type { Host } from './host.ts';
import type { Scheduler } from './scheduler.ts';

export class Trace {
  readonly lines: string[] = [];
  private readonly scheduler: Scheduler;
  private readonly isOn: boolean;
  private readonly start: number;

  constructor(scheduler: Scheduler, isOn: boolean) {
    this.scheduler = scheduler;
    this.isOn = isOn;
    this.start = scheduler.now;
  }

  add(who: Host | string | undefined, what: string): void {
    if (!this.isOn) return;
    const seconds = ((this.scheduler.now - this.start) / 1_000).toFixed(3).padStart(9);
    const name = typeof who === 'string' ? who : (who?.name ?? 'world');
    this.lines.push(`${seconds}  ${name.padEnd(12)} ${what}`);
  }
}
