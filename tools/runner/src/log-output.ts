/**
 * Where the lines of the services go: all of them into a file per service, which each start begins anew, and, unless the
 * output is quiet, onto the runner's own, readable on a terminal and as JSON elsewhere.
 */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { jsonLine, readableLine } from './log-format.ts';

export class LogOutput {
  readonly #folder: string;
  readonly #quiet: boolean;
  readonly #files = new Map<string, WriteStream>();
  readonly #terminal = process.stdout.isTTY;
  readonly #colour = process.stdout.isTTY && !process.env['NO_COLOR'];

  constructor(folder: string, { quiet = false } = {}) {
    this.#folder = folder;
    this.#quiet = quiet;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Follows what a process of this name prints, until it ends. */
  follow(name: string, ...streams: readonly Readable[]): void {
    for (const stream of streams) {
      createInterface({ input: stream }).on('line', (line) => this.#write(name, line));
    }
  }

  /** The runner's own words, for the person at the terminal. */
  say(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  #write(name: string, line: string): void {
    if (line.trim() === '') return;
    this.#file(name).write(`${line}\n`);
    if (this.#quiet) return;
    process.stdout.write(
      `${this.#terminal ? readableLine(name, line, this.#colour) : jsonLine(name, line, new Date())}\n`,
    );
  }

  #file(name: string): WriteStream {
    const open = this.#files.get(name) ?? createWriteStream(join(this.#folder, `${name}.log`), { mode: 0o600 });
    this.#files.set(name, open);
    return open;
  }
}
