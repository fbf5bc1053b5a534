// Runs the checks: on a schedule, each on one replica at a time, and by command. Guarantees: every new difference is
// logged once with the command that mends it; the metrics of every replica tell what the last finished runs found. A check that
// fails is logged and keeps what it found before, and the others run all the same.
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, invalid, oneLine } from '@souk/errors';
import type { Database } from '@souk/postgres';
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import type { Check } from './check.js';
import { CheckRunsStore, type CheckRunRow, type DifferenceRow, type Lease } from './check-runs.store.js';

export interface ReconcilerOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly checks: readonly Check[];
  /** How often each check runs (5 min), give or take a fifth. */
  readonly everyMs?: number;
}

/** What checks found. */
export interface Report {
  readonly runs: CheckRunRow[];
  readonly differences: DifferenceRow[];
}

const EVERY_MS = 5 * 60 * 1000;
const LOOK_EVERY_MS = 10_000;
const RENEW_EVERY_MS = 20_000;
const ASK_AGAIN_MS = 100;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

const differences = metrics.gauge('reconciliation_differences');
const lastSuccess = metrics.gauge('reconciliation_last_success_timestamp_seconds');

export class Reconciler {
  private readonly checks: ReadonlyMap<string, Check>;
  private readonly everyMs: number;
  private readonly logger: Logger;
  private readonly store: CheckRunsStore;
  private readonly loop: WorkerLoop;
  private known = false;

  constructor({ database, logger, checks, everyMs = EVERY_MS }: ReconcilerOptions) {
    this.checks = new Map(checks.map((check) => [check.name, check]));
    this.everyMs = everyMs;
    this.logger = logger;
    this.store = new CheckRunsStore(database);
    this.loop = new WorkerLoop({
      name: 'the reconciliation',
      round: () => this.round(),
      pollMs: Math.min(LOOK_EVERY_MS, everyMs / 2),
      logger,
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Finishes the check that is under way. */
  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  /**
   * Runs the named checks, or all of them, now; one that another replica runs at the time is run once more after that.
   * @throws DomainError INVALID_ARGUMENT for a name that is no check of this service
   */
  async runNow(names: readonly string[] = []): Promise<Report> {
    const wanted = names.length > 0 ? this.chosen(names) : [...this.checks.keys()];
    await this.makeKnown();
    for (const name of wanted) await this.run(await this.take(name));
    return this.report(wanted);
  }

  /** What the last runs found. */
  report(names: readonly string[] = [...this.checks.keys()]): Promise<Report> {
    return Promise.all([this.store.runs(names), this.store.differences(names)]).then(([runs, found]) => ({
      runs,
      differences: found,
    }));
  }

  private async round(): Promise<Outcome> {
    await this.makeKnown();
    const lease = await this.store.takeDue([...this.checks.keys()]);
    if (lease) await this.run(lease);
    await this.measure();
    return lease ? 'more' : 'done';
  }

  private async makeKnown(): Promise<void> {
    if (this.known) return;
    await this.store.add([...this.checks.keys()], this.everyMs);
    this.known = true;
  }

  private chosen(names: readonly string[]): string[] {
    const unknown = names.filter((name) => !this.checks.has(name));
    if (unknown.length === 0) return [...new Set(names)];
    const all = [...this.checks.keys()].join(', ');
    throw invalid([{ field: 'checks', description: `${unknown.join(', ')}: no check of this service; it has ${all}` }]);
  }

  private async take(name: string): Promise<Lease> {
    const until = Date.now() + LONGEST_WAIT_MS;
    for (;;) {
      const lease = await this.store.take(name);
      if (lease) return lease;
      if (Date.now() > until) throw stillRunning(name);
      await sleep(ASK_AGAIN_MS);
    }
  }

  private async run(lease: Lease): Promise<void> {
    const renewal = setInterval(() => void this.store.renew(lease).catch(() => undefined), RENEW_EVERY_MS);
    const againInMs = this.everyMs * (0.8 + 0.4 * Math.random());
    try {
      const result = await (this.checks.get(lease.name) as Check).run();
      for (const { subject, detail, mend } of await this.store.finish(lease, result, againInMs)) {
        this.logger.warn({ check: lease.name, subject, mend }, `a difference: ${detail}`);
      }
    } catch (error) {
      this.logger.warn({ err: error, check: lease.name }, 'a check could not be finished');
      await this.store.fail(lease, oneLine(error), againInMs);
    } finally {
      clearInterval(renewal);
    }
  }

  private async measure(): Promise<void> {
    for (const run of await this.store.runs([...this.checks.keys()])) {
      if (!run.ended_at) continue;
      differences.set({ check: run.name }, run.differences);
      lastSuccess.set({ check: run.name }, run.ended_at.getTime() / 1_000);
    }
  }
}

function stillRunning(name: string): DomainError {
  const message = `The check ${name} is still running.`;
  return new DomainError({ kind: 'unavailable', reason: 'CHECK_RUNNING', message });
}
