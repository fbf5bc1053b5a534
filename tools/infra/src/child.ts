/**
 * A server that runs as a child in its own process group: Ctrl-C in the terminal reaches the runner only, which then
 * stops its children in order. Everything the child prints goes to its log file.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerChild {
  readonly pid: number;
  /** Resolves when the process has ended, with a text such as `exit code 1` or `SIGKILL`. */
  readonly ended: Promise<string>;
  /** Whether it has ended by now. */
  hasEnded(): boolean;
}

/** Starts a server with a minimal environment, so that nothing of the caller's (PGDATA, PGPORT, ...) reaches it. */
export function spawnServer(command: ServerCommand): ServerChild {
  mkdirSync(dirname(command.logFile), { recursive: true });
  const log = openSync(command.logFile, 'w');
  const { file, args, cwd = '/', uid, gid } = command;
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], cwd, uid, gid, env });
  closeSync(log);
  return watch(child, file);
}

function watch(child: ChildProcess, file: string): ServerChild {
  let reason: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const end = (text: string): void => resolve((reason ??= text));
    child.once('error', (error) => end(`cannot run ${file}: ${error.message}`));
    child.once('exit', (code, killedBy) => end(killedBy ?? `exit code ${code}`));
  });
  child.unref();
  return { pid: child.pid ?? -1, ended, hasEnded: () => reason !== undefined };
}

/** The end of a log file, for the message of a failed start. */
export function lastLines(logFile: string, count = 5): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}
