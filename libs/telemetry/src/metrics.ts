// Counters and timings of this process in Prometheus' text form, under the names of names.ts. Guarantees: asking twice for one
// name gives the same metric. Metrics of the process itself (memory, event loop) start with the first reading, so that nobody
// pays who never reads.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { METRICS, type MetricName } from './names.js';

export type { Counter, Gauge, Histogram };

type NameOf<Type> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

type LabelOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number];

const registry = new Registry();
const made = new Map<MetricName, unknown>();
let processMetrics = false;

// From half a millisecond to ten seconds: an RPC on the same machine up to a payment provider on a bad day.
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The registry of this process. */
export const metrics = {
  /** A number that only grows. */
  counter<Name extends NameOf<'counter'>>(name: Name): Counter<LabelOf<Name>> {
    return once(name, () => new Counter(settings(name)));
  },
  /** A distribution of seconds. */
  histogram<Name extends NameOf<'histogram'>>(name: Name): Histogram<LabelOf<Name>> {
    return once(name, () => new Histogram({ ...settings(name), buckets: SECONDS }));
  },
  /**
   * A number that goes up and down.
   * @param collect sets it whenever it is read
   */
  gauge<Name extends NameOf<'gauge'>>(
    name: Name,
    collect?: (gauge: Gauge<LabelOf<Name>>) => void,
  ): Gauge<LabelOf<Name>> {
    return once(name, () => {
      const gauge: Gauge<LabelOf<Name>> = new Gauge({
        ...settings(name),
        ...(collect && { collect: () => collect(gauge) }),
      });
      return gauge;
    });
  },
};

/** All metrics of this process, as served under `/metrics`. */
export function metricsText(): Promise<string> {
  if (!processMetrics) {
    processMetrics = true;
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}

function settings<Name extends MetricName>(name: Name) {
  const { help, labels } = METRICS[name];
  return { name, help, labelNames: [...labels] as LabelOf<Name>[], registers: [registry] };
}

function once<M>(name: MetricName, make: () => M): M {
  const known = made.get(name) as M | undefined;
  if (known) return known;
  const metric = make();
  made.set(name, metric);
  return metric;
}
