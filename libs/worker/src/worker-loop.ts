// Work in the background, in rounds. Guarantees: a wake is followed by a round that begins after it, any number of wakes
// by one; a round comes at least after every pause; rounds never overlap; a stop lets the round under way finish and
// begins no other. A round that fails is followed by another one, and only the first of several failures is logged.
import { metrics, type Logger } from '@souk/telemetry';
import { jobOf, type Job } from './jobs.js';

const roundsFailed = metrics.counter('worker_failures_total');

/** How a round ended: `more` to do at once, `done`, or after how many milliseconds to look again. */
export type Outcome = 'more' | 'done' | number;

/** What a loop does and how often. */
export interface WorkerLoopOptions {
  /** For the log: `the mail worker`. */
  name: string;
  /** Does what is due. `woken` is false where nobody asked for the round: it only looks. */
  round: (woken: boolean) => Promise<Outcome>;
  logger: Logger;
  /** How often it looks without being woken (1 s). */
  pollMs?: number;
  /** How long it waits after a wake, so that one round serves many wakes (0). */
  gatherMs?: number;
  /** Pause after so many failures in a row (the poll's); no wake makes it shorter. */
  retryMs?: (failures: number) => number;
  /** Pause after a round that took so long and left more to do (none); no wake makes it shorter. */
  restMs?: (workedMs: number) => number;
}

/** Runs rounds from `start` to `stop`. */
export class WorkerLoop {
  private readonly options: Required<WorkerLoopOptions>;
  private readonly job: Job;
  private started = false;
  private stopped = false;
  private woken = false;
  private failures = 0;
  private working: Promise<void> = Promise.resolve();
  private endPause: () => void = nothing;
  private endIdlePause: () => void = nothing;

  constructor(options: WorkerLoopOptions) {
    const { pollMs = 1_000 } = options;
    this.options = { gatherMs: 0, retryMs: () => pollMs, restMs: () => 0, ...options, pollMs };
    this.job = jobOf(options.name);
  }

  /** True from the stop on, also in the round that is then under way. */
  get stopping(): boolean {
    return this.stopped;
  }

  /** Begins with a round at once; a second call changes nothing. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.stopped = false;
    this.woken = true;
    this.job.running = true;
    this.working = this.work();
  }

  /** Says that there is something to do. Cheap. */
  wake(): void {
    this.woken = true;
    this.endIdlePause();
  }

  /** Finishes the round that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.started = false;
    this.endPause();
    await this.working;
    this.job.running = false;
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      if (this.woken) await this.pause(this.options.gatherMs);
      if (this.stopped) return;
      const startedAt = performance.now();
      const outcome = await this.tryRound();
      if (this.failures > 0) await this.pause(this.options.retryMs(this.failures));
      else if (outcome === 'more') await this.pause(this.options.restMs(performance.now() - startedAt));
      else if (!this.woken) await this.idle(outcome === 'done' ? this.options.pollMs : outcome);
    }
  }

  private async tryRound(): Promise<Outcome> {
    const { round, name, logger } = this.options;
    const { woken } = this;
    this.woken = false;
    try {
      const outcome = await round(woken);
      this.job.lastRoundAt = new Date();
      if (this.failures > 0) logger.info(`${name} goes on`);
      this.failures = this.job.failures = 0;
      return outcome;
    } catch (error) {
      // What it was woken for is still to be done.
      this.woken ||= woken;
      this.failures += 1;
      this.job.failures = this.failures;
      roundsFailed.inc({ worker: name });
      if (this.failures === 1) logger.warn({ err: error }, `${name} failed; trying again until it succeeds`);
      return 'done';
    }
  }

  // A timer and a function, since aborting an AbortSignal builds an error with a stack trace: too much for every wake.
  private pause(ms: number): Promise<void> | undefined {
    if (ms === 0 || this.stopped) return undefined;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.endPause = this.endIdlePause = nothing;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.endPause = end;
    });
  }

  private idle(ms: number): Promise<void> | undefined {
    const paused = this.pause(ms);
    this.endIdlePause = this.endPause;
    return paused;
  }
}

function nothing(): void {
  // There is no pause to end.
}
