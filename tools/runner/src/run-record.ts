/**
 * What runs now, on disk: how far the runner has come, and every process it started. Other tools read it, and the start
 * after a killed runner ends the processes that it left behind.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { endProcess, isRunning, processStart } from '@souk/infra';
import { STOP_ORDER } from './layout.ts';

export type Phase = 'starting' | 'infra' | 'ready';

interface ChildRecord {
  readonly pid: number;
  readonly start: string;
}

export interface RunState {
  readonly phase: Phase;
  readonly runner: ChildRecord;
  readonly children: Readonly<Record<string, ChildRecord>>;
}

const END_STEPS = [
  ['SIGTERM', 12_000],
  ['SIGKILL', 2_000],
] as const;
const POSTGRES_STEPS = [['SIGINT', 15_000], ...END_STEPS] as const;

export class RunRecord {
  readonly #path: string;
  #state: RunState;

  constructor(path: string) {
    this.#path = path;
    this.#state = { phase: 'starting', runner: recordOf(process.pid), children: {} };
    this.#save();
  }

  reached(phase: Phase): void {
    this.#state = { ...this.#state, phase };
    this.#save();
  }

  spawned(name: string, pid: number): void {
    this.#state = { ...this.#state, children: { ...this.#state.children, [name]: recordOf(pid) } };
    this.#save();
  }

  #save(): void {
    const unfinished = `${this.#path}.unfinished`;
    writeFileSync(unfinished, JSON.stringify(this.#state, null, 2));
    renameSync(unfinished, this.#path);
  }
}

function recordOf(pid: number): ChildRecord {
  return { pid, start: processStart(pid) ?? '' };
}

/** What the record says; undefined where there is none. */
export function readRun(path: string): RunState | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunState;
  } catch {
    // Nothing was started here yet.
    return undefined;
  }
}

/** Ends what a killed runner left behind, in the order of a normal stop. */
export async function endLeftovers(path: string, say: (line: string) => void): Promise<void> {
  const children = readRun(path)?.children ?? {};
  const left = STOP_ORDER.map((group) => group.filter((name) => stillRuns(children[name])));
  if (left.flat().length > 0) say(`Stopping what a killed run left behind: ${left.flat().join(', ')}.`);
  for (const group of left) await Promise.all(group.map((name) => end(name, children[name])));
}

function stillRuns(child: ChildRecord | undefined): boolean {
  return child !== undefined && isRunning(child.pid, child.start);
}

async function end(name: string, child: ChildRecord | undefined): Promise<void> {
  if (child) await endProcess(child.pid, name === 'postgres' ? POSTGRES_STEPS : END_STEPS);
}
