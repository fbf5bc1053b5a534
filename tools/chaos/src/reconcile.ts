/** Has every service compare what it keeps with what the others keep, as operators do. */
import { OperationsServiceService } from '@souk/proto/operations/v1';
import { rpcClient } from '@souk/rpc';
import { GRPC_SERVICES, localProof } from '@souk/runner';
import type { Cluster } from './cluster.ts';
import { replicasOf } from './topology.ts';
import type { CheckRun } from './world.ts';

const TIMEOUT_MS = 60_000;

export async function reconcile(cluster: Cluster): Promise<CheckRun[]> {
  const runs = await Promise.all(GRPC_SERVICES.map((service) => reconcileOne(cluster, service)));
  return runs.flat();
}

async function reconcileOne(cluster: Cluster, service: (typeof GRPC_SERVICES)[number]): Promise<CheckRun[]> {
  const [replica = service] = replicasOf(service);
  const address = `127.0.0.1:${cluster.port(replica)}`;
  const client = rpcClient(OperationsServiceService, {
    ...localProof(cluster.folder),
    address,
    service,
    caller: 'ops',
    timeoutMs: TIMEOUT_MS,
  });
  try {
    const { runs, differences } = await client.reconcile({ checks: [] });
    return runs.map(({ check, compared, error }) => ({
      check: `${service} ${check}`,
      compared: Number(compared),
      error,
      differences: differences
        .filter((difference) => difference.check === check)
        .map(({ subject, detail, mend }) => `${subject}: ${detail} (${mend})`),
    }));
  } finally {
    client.close();
  }
}
