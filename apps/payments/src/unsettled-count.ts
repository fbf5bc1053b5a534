/** Counts, from time to time, the payments that a step is due for: the metric by which people see that money is stuck. */
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { sql, type Database } from '@souk/postgres';
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { NOT_SETTLED } from './checks/checks.store.js';

const COUNT_EVERY_MS = 15_000;

const BY_STATE = sql(
  'payments.count_unsettled',
  `SELECT state, count(*)::int AS count FROM payments WHERE ${NOT_SETTLED} GROUP BY state`,
);

const unsettled = metrics.gauge('payments_unsettled');

export class UnsettledCount implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly database: Database,
    logger: Logger,
  ) {
    const round = () => this.count();
    this.loop = new WorkerLoop({ name: 'the count of payments', round, pollMs: COUNT_EVERY_MS, logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  private async count(): Promise<Outcome> {
    const rows = await this.database.query<{ state: string; count: number }>(BY_STATE);
    unsettled.reset();
    unsettled.set({ state: 'PROCESSING' }, 0);
    for (const { state, count } of rows) unsettled.set({ state }, count);
    return 'done';
  }
}
