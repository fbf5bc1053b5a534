/** The links of a run, seen from the run: which are disturbed, and by what. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Disturbance } from './wire.ts';
import type { Command, Sent, WireSpec } from './wires-process.ts';

interface Waiting {
  readonly resolve: (sent: Sent) => void;
  readonly reject: (error: Error) => void;
}

/** Takes a disturbance off again. */
export type Calm = (breaking?: boolean) => Promise<void>;

export class Wires {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  /** Disturbances of each link, oldest first; the newest is the one that acts. */
  readonly #active = new Map<string, Disturbance[]>();
  #lastId = 0;

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'wires-process.ts'), { stdio: 'inherit' });
    this.#child.on('message', ({ id, error, sent = {} }: { id: number; error?: string; sent?: Sent }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error));
      else waiting?.resolve(sent);
    });
  }

  async open(wires: readonly WireSpec[]): Promise<void> {
    await this.#send({ name: 'open', wires });
  }

  /** Bytes that were sent over each link so far. */
  count(): Promise<Sent> {
    return this.#send({ name: 'count' });
  }

  /** Sees to it that the process does not outlive this one. */
  guard(pid: number): void {
    void this.#send({ name: 'guard', pid });
  }

  /** Disturbs a link until the returned function is called. */
  async disturb(wire: string, disturbance: Disturbance): Promise<Calm> {
    const list = this.#active.get(wire) ?? [];
    this.#active.set(wire, list);
    list.push(disturbance);
    await this.#apply(wire, false);
    return async (breaking = false) => {
      const index = list.indexOf(disturbance);
      if (index < 0) return;
      list.splice(index, 1);
      await this.#apply(wire, breaking);
    };
  }

  close(): void {
    this.#child.disconnect();
  }

  async #apply(wire: string, breaking: boolean): Promise<void> {
    await this.#send({ name: 'become', wire, disturbance: this.#active.get(wire)?.at(-1), breaking });
  }

  #send(command: Command): Promise<Sent> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command });
    });
  }
}
