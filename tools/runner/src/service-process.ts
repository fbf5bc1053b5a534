/** A Node program of this checkout as a child in its own process group, so that Ctrl-C reaches the runner only. */
import { spawn } from 'node:child_process';
import { endProcess } from '@souk/infra';
import type { Environment } from './environment.ts';
import { ROOT } from './layout.ts';
import type { LogOutput } from './log-output.ts';
import type { Launched } from './supervised.ts';

/** Ten processes share the machine: each clears up its young objects more often instead of setting memory aside for them. */
const NODE_FLAGS = ['--max-semi-space-size=4'];

/** A service drains for 10 s at most. */
const STOP_STEPS = [
  ['SIGTERM', 12_000],
  ['SIGKILL', 2_000],
] as const;

/** Starts `node <program>` with this environment and nothing else of the runner's. */
export async function launchNode(
  name: string,
  program: string,
  environment: Environment,
  output: LogOutput,
): Promise<Launched> {
  const child = spawn(process.execPath, [...NODE_FLAGS, program], {
    cwd: ROOT,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  output.follow(name, child.stdout, child.stderr);
  const pid = child.pid ?? -1;
  return { pid, ended, stop: () => stop(name, pid, output) };
}

async function stop(name: string, pid: number, output: LogOutput): Promise<void> {
  const took = await endProcess(pid, STOP_STEPS);
  if (took === 'SIGKILL') output.say(`${name} did not stop in time and was killed.`);
}
