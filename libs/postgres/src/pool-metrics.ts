// What the pools of this process are doing, read when somebody asks.
import { metrics } from '@souk/telemetry';
import type pg from 'pg';

const pools = new Set<pg.Pool>();

metrics.gauge('db_pool_connections', (gauge) => {
  const idle = sum(({ idleCount }) => idleCount);
  gauge.set({ state: 'idle' }, idle);
  gauge.set({ state: 'busy' }, sum(({ totalCount }) => totalCount) - idle);
});
metrics.gauge('db_pool_max', (gauge) => gauge.set(sum(({ options }) => options.max)));
metrics.gauge('db_pool_waiting', (gauge) => gauge.set(sum(({ waitingCount }) => waitingCount)));

/** Counts the pool until it ends. */
export function measurePool(pool: pg.Pool): void {
  pools.add(pool);
}

export function forgetPool(pool: pg.Pool): void {
  pools.delete(pool);
}

function sum(number: (pool: pg.Pool) => number): number {
  return [...pools].reduce((total, pool) => total + number(pool), 0);
}
