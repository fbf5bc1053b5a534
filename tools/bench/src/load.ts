/** Closed-loop load: so many workers, each doing one thing after the other. */
import { performance } from 'node:perf_hooks';

export interface LoadResult {
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** How many answers there were of each kind. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** @param work does one thing and names its outcome */
export function load(workers: number, seconds: number, work: () => Promise<string>): Promise<LoadResult> {
  const end = performance.now() + seconds * 1_000;
  return measure(workers, () => performance.now() < end, work);
}

/** Does the work so many times in all. */
export function loadTimes(workers: number, times: number, work: () => Promise<string>): Promise<LoadResult> {
  let left = times;
  return measure(workers, () => left-- > 0, work);
}

async function measure(workers: number, more: () => boolean, work: () => Promise<string>): Promise<LoadResult> {
  const latencies: number[] = [];
  const outcomes: Record<string, number> = {};
  const began = performance.now();
  const worker = async () => {
    while (more()) {
      const start = performance.now();
      const outcome = await work();
      latencies.push(performance.now() - start);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  const seconds = (performance.now() - began) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const count = latencies.length;
  return { count, seconds, perSecond: count / seconds, p50: at(0.5), p95: at(0.95), p99: at(0.99), outcomes };
}
