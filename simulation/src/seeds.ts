/** Runs many seeds, shared out among as many threads as there are cores. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Switch } from './switches.ts';

export interface Seeds {
  readonly first: number;
  readonly runs: number;
  readonly switchedOff?: Switch | undefined;
  /** Stops soon after the first broken promise. */
  readonly untilBroken?: boolean;
}

/** What was found in some seeds. */
export interface Found {
  readonly broken: readonly { readonly seed: number; readonly invariant: string; readonly message: string }[];
  readonly orders: number;
  readonly events: number;
  readonly virtualMs: number;
}

const SHARE = 10;
export async function simulateAll({ first, runs, switchedOff, untilBroken = false }: Seeds): Promise<Found> {
  const shares: Seeds[] = [];
  for (let done = 0; done < runs; done += SHARE) {
    shares.push({ first: first + done, runs: Math.min(SHARE, runs - done), switchedOff });
  }
  const found: Found[] = [];
  const workers = Math.min(availableParallelism(), shares.length);
  await Promise.all(Array.from({ length: workers }, () => work(shares, found, untilBroken)));
  return {
    broken: found.flatMap(({ broken }) => broken).sort((a, b) => a.seed - b.seed),
    orders: sum(found, 'orders'),
    events: sum(found, 'events'),
    virtualMs: sum(found, 'virtualMs'),
  };
}

/** One thread, which takes share after share. */
function work(shares: Seeds[], found: Found[], untilBroken: boolean): Promise<void> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const next = () => {
      const share = shares.shift();
      if (share) worker.postMessage(share);
      else void worker.terminate().then(() => resolve(), reject);
    };
    worker.on('message', (result: Found) => {
      found.push(result);
      if (untilBroken && result.broken.length > 0) shares.length = 0;
      next();
    });
    worker.on('error', reject);
    next();
  });
}

function sum(found: readonly Found[], what: 'orders' | 'events' | 'virtualMs'): number {
  return found.reduce((total, one) => total + one[what], 0);
}
