/**
 * The process that all links go through, so that passing bytes on does not compete with the buyers for one thread. It also
 * outlives a chaos run that was killed for a moment, in which it ends the processes that the run has started.
 */
import { isRunning, processStart, signal } from '@souk/infra';
import { Wire, type Disturbance } from './wire.ts';

export type Command =
  | { readonly name: 'open'; readonly wires: readonly WireSpec[] }
  | { readonly name: 'become'; readonly wire: string; readonly disturbance?: Disturbance; readonly breaking: boolean }
  | { readonly name: 'guard'; readonly pid: number }
  /** Answered with the bytes that were sent over each link so far. */
  | { readonly name: 'count' };

export interface WireSpec {
  readonly name: string;
  readonly port: number;
  readonly target: number;
}

const wires = new Map<string, Wire>();
const guarded = new Map<number, string>();

/** Bytes sent so far, by the link's name. */
export type Sent = Readonly<Record<string, number>>;

async function execute(command: Command): Promise<Sent | undefined> {
  switch (command.name) {
    case 'open':
      for (const { name, port, target } of command.wires) wires.set(name, new Wire(port, target));
      await Promise.all([...wires.values()].map((wire) => wire.open()));
      return undefined;
    case 'become':
      await wires.get(command.wire)?.become(command.disturbance, command.breaking);
      return undefined;
    case 'guard':
      guarded.set(command.pid, processStart(command.pid) ?? '');
      return undefined;
    case 'count':
      return Object.fromEntries([...wires].map(([name, { sent }]) => [name, sent]));
  }
}

// One after the other: a link that is being opened must not be closed meanwhile.
let last: Promise<unknown> = Promise.resolve();
process.on('message', ({ id, command }: { id: number; command: Command }) => {
  last = last
    .then(() => execute(command))
    .then(
      (sent) => void process.send?.({ id, sent }),
      (error: unknown) => void process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
    );
});

// Ctrl-C reaches the whole group; the chaos run says when it is over.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
process.on('disconnect', () => {
  for (const [pid, start] of guarded) if (isRunning(pid, start)) signal(pid, 'SIGKILL');
  process.exit();
});
