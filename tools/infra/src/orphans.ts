/**
 * Servers left behind by a run that was killed. A pid file names the process; it is stopped only if its command line shows
 * that it serves this very folder, since the pid may long belong to somebody else.
 */
import { readFileSync, rmSync } from 'node:fs';
import { commandLine, endProcess } from './processes.ts';

/** Stops the server of an earlier run, if one still runs, and removes its pid file. */
export async function stopOrphan(
  pidFile: string,
  folder: string,
  steps: readonly (readonly [NodeJS.Signals, number])[],
): Promise<void> {
  const pid = pidIn(pidFile);
  if (pid === undefined) return;
  if (commandLine(pid)?.includes(folder)) await endProcess(pid, steps);
  rmSync(pidFile, { force: true });
}

function pidIn(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    // No pid file: the last run ended in good order, or there was none.
    return undefined;
  }
}
