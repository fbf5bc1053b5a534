/**
 * Facts about processes of this machine, by pid. A pid alone proves nothing, since the system gives it out again;
 * a pid together with its start (see processStart) names one process for ever. A zombie counts as ended.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When the process with this pid began, as an opaque text that is the same for its whole life; undefined if there is none. */
export function processStart(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStart(pid) : ps(pid, 'lstart');
}

function linuxStart(pid: number): string | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // The name in parentheses may itself hold spaces and parentheses, so fields are counted from its last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${boot}/${fields[19]}`;
}

/** Whether a process with this pid runs; where `start` is given, whether it is that very process. */
export function isRunning(pid: number, start?: string): boolean {
  const found = processStart(pid);
  return found !== undefined && (start === undefined || found === start);
}

/** The command line of a process, words joined by spaces; undefined where there is none or it is not ours to see. */
export function commandLine(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command');
  return readOrUndefined(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends a process by ever harder signals, each with its own time to comply. Resolves once it is gone, with the signal that it
 * took; undefined where it had ended before.
 */
export async function endProcess(
  pid: number,
  steps: readonly (readonly [NodeJS.Signals, number])[],
): Promise<NodeJS.Signals | undefined> {
  const start = processStart(pid);
  if (start === undefined) return undefined;
  for (const [name, patienceMs] of steps) {
    signal(pid, name);
    if (await gone(pid, start, patienceMs)) return name;
  }
  throw new Error(`Process ${pid} does not end.`);
}

async function gone(pid: number, start: string, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (isRunning(pid, start)) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

function ps(pid: number, field: string): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', `stat=,${field}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...rest] = line.split(/\s+/);
    return state.startsWith('Z') ? undefined : rest.join(' ');
  } catch {
    // `ps` answers with exit code 1 when there is no such process.
    return undefined;
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended, or the file is not ours to read: unknown either way.
    return undefined;
  }
}
