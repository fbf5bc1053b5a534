/** Waits until the infrastructure of the data folder takes connections: what `nx serve <service>` runs before the service. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '@souk/infra';
import { dataFolder, layout } from './layout.ts';
import { readRun } from './run-record.ts';

/** Long, since the first start may build nats-server. */
const DEADLINE_MS = 300_000;

function isUp(): boolean {
  const run = readRun(layout(dataFolder()).run);
  return run !== undefined && run.phase !== 'starting' && isRunning(run.runner.pid, run.runner.start);
}

const deadline = Date.now() + DEADLINE_MS;
while (!isUp() && Date.now() < deadline) await sleep(100);
if (!isUp()) {
  process.stderr.write('The infrastructure is not up: "npm start -- --infra-only" says why.\n');
  process.exitCode = 1;
}
