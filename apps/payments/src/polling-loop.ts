import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@souk/telemetry';

const POLL_MS = 1_000;

/** Does its turn when it is woken and at least once a second; a turn that fails is logged and followed by the next. */
export class PollingLoop {
  private stopped = true;
  private woken = false;
  private interrupt: () => void = () => undefined;
  private working: Promise<void> = Promise.resolve();

  /** @param turn returns true where there may be more to do at once */
  constructor(
    private readonly turn: () => Promise<boolean>,
    private readonly logger: Logger,
    private readonly pollMs = POLL_MS,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.working = this.work();
  }

  wake(): void {
    this.woken = true;
    this.interrupt();
  }

  /** Finishes the turn that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.interrupt();
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      this.woken = false;
      const isMore = await this.turn().catch((error: unknown) => {
        this.logger.error({ err: error }, 'background work failed; it is tried again');
        return false;
      });
      if (!isMore) await this.pause();
    }
  }

  private async pause(): Promise<void> {
    if (this.woken || this.stopped) return;
    const interrupted = new AbortController();
    this.interrupt = () => interrupted.abort();
    await sleep(this.pollMs, undefined, { signal: interrupted.signal }).catch(() => undefined);
  }
}
