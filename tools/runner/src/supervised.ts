/**
 * Keeps one process running: when it ends by itself it is started again, after a delay that grows with each death in a row
 * and is short again once it has lived for a while. After `stop` it is never started again.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Launched {
  readonly pid: number;
  /** Resolves with the reason when the process has ended. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export interface SupervisedEvents {
  spawned(name: string, pid: number): void;
  say(line: string): void;
}

const LONG_LIFE_MS = 30_000;

/** How long to wait before the start after so many deaths in a row. */
export function restartDelay(deaths: number): number {
  return Math.min(10_000, 250 * 2 ** (deaths - 1));
}

export class Supervised {
  readonly name: string;
  readonly #launch: () => Promise<Launched>;
  readonly #events: SupervisedEvents;
  readonly #stopping = new AbortController();
  #running: Launched | undefined;
  #launching: Promise<Launched> | undefined;
  #deaths = 0;

  constructor(name: string, launch: () => Promise<Launched>, events: SupervisedEvents) {
    this.name = name;
    this.#launch = launch;
    this.#events = events;
  }

  /** Deaths in a row, without a long life between them. */
  get deaths(): number {
    return this.#deaths;
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** Starts it; a first start that fails is the caller's to handle. */
  async start(): Promise<void> {
    await this.#start();
    void this.#keepRunning();
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // A launch under way is waited for, so that nothing comes up after the stop; its own error was told already.
    await this.#launching?.catch(() => undefined);
    await this.#running?.stop();
  }

  async #start(): Promise<void> {
    this.#launching = this.#launch();
    this.#running = await this.#launching;
    this.#events.spawned(this.name, this.#running.pid);
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    let began = Date.now();
    let reason = await this.#running?.ended;
    while (!signal.aborted) {
      this.#deaths = Date.now() - began > LONG_LIFE_MS ? 1 : this.#deaths + 1;
      const delay = restartDelay(this.#deaths);
      this.#events.say(`${this.name} has ended (${reason}); it is started again in ${delay} ms.`);
      // Rejects only when the stop cuts it short.
      await sleep(delay, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      began = Date.now();
      reason = await this.#lifeAndDeath();
    }
  }

  async #lifeAndDeath(): Promise<string> {
    try {
      await this.#start();
      return (await this.#running?.ended) ?? 'not started';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
