// Deletes claims that are older than 30 days by the database's clock. Guarantees: little at a time; any number of replicas
// may do it at once.
import type { Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { WorkerLoop } from '@souk/worker';
import { PRUNE } from './claim-rows.js';

const EVERY_MS = 10 * 60 * 1000;
const BATCH = 1_000;

/** Works in the background from `start` to `stop`. */
export class ClaimsPruner {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly database: Database,
    logger: Logger,
  ) {
    const round = async () => ((await this.prune()) < BATCH ? ('done' as const) : ('more' as const));
    this.loop = new WorkerLoop({ name: 'the pruning of claims', round, pollMs: EVERY_MS, logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Deletes one batch; answers how many it were. */
  async prune(): Promise<number> {
    const [row] = await this.database.query<{ pruned: number }>(PRUNE, [BATCH]);
    return row?.pruned ?? 0;
  }
}
