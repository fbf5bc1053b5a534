/** Waits for servers that are starting up. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '@souk/infra';

const DEADLINE_MS = 120_000;
/** A service may die of a neighbour that is not up yet, but not again and again. */
const TOO_MANY_DEATHS = 3;

interface Watched {
  readonly name: string;
  readonly deaths: number;
}

/** Resolves when the check holds; throws a sentence when one of the processes keeps dying or time runs out. */
export async function waitUntil(
  check: () => Promise<boolean>,
  processes: readonly Watched[],
  logs: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await check())) {
    signal.throwIfAborted();
    const dying = processes.find(({ deaths }) => deaths >= TOO_MANY_DEATHS);
    if (dying)
      throw new StartupError(`${dying.name} does not start: the reason is at the end of ${logs}/${dying.name}.log.`);
    if (Date.now() > deadline) throw new StartupError(`Souk is not ready after ${DEADLINE_MS / 1000} s: see ${logs}.`);
    await sleep(40);
  }
}

/** Whether a URL answers 200. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    // Not there yet.
    return false;
  }
}

/** Whether something on this machine takes connections at the port. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false)).once('timeout', () => end(false));
  });
}
