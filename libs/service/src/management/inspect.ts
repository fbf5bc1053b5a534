// Looks into the running process. Guarantees: one look at a time, since each slows the process down; a second one is refused.
import { Session } from 'node:inspector/promises';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';
import { Refused } from './refused.js';

let isLooking = false;

/** All that the process holds, secrets included, for Chrome's developer tools. The process stands still while it is taken. */
export function heapSnapshot(): Readable {
  begin();
  return getHeapSnapshot().once('close', end);
}

/** Where the process spends its time, for Chrome's developer tools. */
export async function cpuProfile(seconds: number): Promise<string> {
  begin();
  const session = new Session();
  try {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(seconds * 1_000);
    const { profile } = await session.post('Profiler.stop');
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
    end();
  }
}

function begin(): void {
  if (isLooking) throw new Refused(409, 'Another snapshot or profile is being taken.');
  isLooking = true;
}

function end(): void {
  isLooking = false;
}
