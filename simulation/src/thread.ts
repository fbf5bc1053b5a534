/** A thread that runs the seeds it is told. */
import { parentPort } from 'node:worker_threads';
import type { Found, Seeds } from './seeds.ts';
import { simulate } from './simulation.ts';

parentPort?.on('message', (seeds: Seeds) => void answer(seeds));

async function answer({ first, runs, switchedOff }: Seeds): Promise<void> {
  const broken: Found['broken'][number][] = [];
  let [orders, events, virtualMs] = [0, 0, 0];
  for (let seed = first; seed < first + runs; seed += 1) {
    const outcome = await simulate({ seed, switchedOff });
    if (outcome.violation) broken.push({ seed, ...outcome.violation });
    orders += outcome.orders;
    events += outcome.events;
    virtualMs += outcome.virtualMs;
  }
  parentPort?.postMessage({ broken, orders, events, virtualMs } satisfies Found);
}
