/**
 * One runner per data folder. The lock names its holder by pid and start, so a lock whose holder was killed is recognised
 * and taken over, even if the pid belongs to another program by now.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRunning, processStart } from '@souk/infra';

export interface LockHolder {
  readonly pid: number;
  readonly start: string;
  readonly infraOnly: boolean;
}

/** Takes the lock; answers its holder where another runner has it. */
export function takeLock(path: string, infraOnly: boolean): LockHolder | undefined {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, start: processStart(process.pid), infraOnly }));
  try {
    while (!linked(mine, path)) {
      const holder = lockHolder(path);
      if (holder) return holder;
      removeStale(path);
    }
    return undefined;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Gives the lock back. */
export function releaseLock(path: string): void {
  rmSync(path, { force: true });
}

/** The runner that holds the lock; undefined where there is none, or it was killed. */
export function lockHolder(path: string): LockHolder | undefined {
  const holder = read(path);
  return holder && isHeld(holder) ? holder : undefined;
}

/** Whether the process that a lock names still runs. */
export function isHeld(holder: LockHolder, running: typeof isRunning = isRunning): boolean {
  return running(holder.pid, holder.start);
}

/** A link appears with its content or not at all, and only one can be first. */
function linked(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away before it is removed: had another runner replaced the lock meanwhile, its lock is put back. */
function removeStale(path: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (lockHolder(aside)) linked(aside, path);
  rmSync(aside, { force: true });
}

function read(path: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
  } catch {
    // No lock, or one that was cut off by a full disk or a power cut: nobody holds it.
    return undefined;
  }
}
