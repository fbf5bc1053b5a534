/**
 * The process that all links go through, so that passing bytes on does not compete with the buyers for one thread. It also
 * outlives a chaos run that was killed for a moment, in which it ends the processes that the run has started.
 */
import { isRunning, processStart, signal } from '@souk/infra';
import { Wire, type Disturbance } from './wire.ts';

export type Command =
  | { readonly name: 'open'; readonly wires: readonly WireSpec[] }
  | { readonly name: 'become'; readonly wire: string; readonly disturbance?: Disturbance; readonly breaking: boolean }
  | { readonly name: 'guard'; readonly pid: number };

export interface WireSpec {
  readonly name: string;
  readonly port: number;
  readonly target: number;
}

const wires = new Map<string, Wire>();
const guarded = new Map<number, string>();

async function execute(command: Command): Promise<void> {
  switch (command.name) {
    case 'open':
      for (const { name, port, target } of command.wires) wires.set(name, new Wire(port, target));
      await Promise.all([...wires.values()].map((wire) => wire.open()));
      return;
    case 'become':
      await wires.get(command.wire)?.become(command.disturbance, command.breaking);
      return;
    case 'guard':
      guarded.set(command.pid, processStart(command.pid) ?? '');
  }
}

// One after the other: a link that is being opened must not be closed meanwhile.
let last = Promise.resolve();
process.on('message', ({ id, command }: { id: number; command: Command }) => {
  last = last
    .then(() => execute(command))
    .then(
      () => void process.send?.({ id }),
      (error: unknown) => void process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
    );
});

// Ctrl-C reaches the whole group; the chaos run says when it is over.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
process.on('disconnect', () => {
  for (const [pid, start] of guarded) if (isRunning(pid, start)) signal(pid, 'SIGKILL');
  process.exit();
});
