// Counters and timings of this process in Prometheus' text form. Guarantees: asking twice for one name gives the same
// metric. Metrics of the process itself (memory, event loop) start with the first reading, so that nobody pays who never reads.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type { Counter, Gauge, Histogram };

const registry = new Registry();
let processMetrics = false;

// From half a millisecond to ten seconds: an RPC on the same machine up to a payment provider on a bad day.
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The registry of this process. */
export const metrics = {
  /** A number that only grows. Names end in `_total`. */
  counter(name: string, help: string, labels: string[] = []): Counter {
    return existing<Counter>(name) ?? new Counter({ name, help, labelNames: labels, registers: [registry] });
  },
  /** A distribution, by default of seconds. */
  histogram(name: string, help: string, labels: string[] = [], buckets: number[] = SECONDS): Histogram {
    return (
      existing<Histogram>(name) ?? new Histogram({ name, help, labelNames: labels, buckets, registers: [registry] })
    );
  },
  /** A number that goes up and down. */
  gauge(name: string, help: string, labels: string[] = []): Gauge {
    return existing<Gauge>(name) ?? new Gauge({ name, help, labelNames: labels, registers: [registry] });
  },
  metricsText,
};

/** All metrics of this process, as served under `/metrics`. */
export function metricsText(): Promise<string> {
  if (!processMetrics) {
    processMetrics = true;
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}

function existing<M>(name: string): M | undefined {
  return registry.getSingleMetric(name) as M | undefined;
}
