import { metrics } from '@souk/telemetry';
import type { InstanceState } from './instance.js';

export const instancesEjected = metrics.counter('rpc_client_ejections_total');
export const callsRefused = metrics.counter('rpc_client_refused_total');
export const callsRepeated = metrics.counter('rpc_client_retries_total');
export const repetitionsForgone = metrics.counter('rpc_client_retries_forgone_total');

interface Observed {
  readonly service: string;
  readonly states: readonly { readonly state: InstanceState }[];
}

const STATES: readonly InstanceState[] = ['connecting', 'ready', 'silent', 'draining', 'failing'];
const pools = new Set<Observed>();

metrics.gauge('rpc_client_instances', (gauge) => {
  gauge.reset();
  for (const { service, states } of pools) {
    for (const state of STATES) gauge.inc({ service, state }, states.filter((one) => one.state === state).length);
  }
});

/** Whose instances are counted when somebody reads the metrics. */
export const countedPools = {
  add: (pool: Observed) => void pools.add(pool),
  delete: (pool: Observed) => void pools.delete(pool),
};
