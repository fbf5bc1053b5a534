/**
 * Whether a service can do its work, by its dependencies. Guarantees: one failed look changes nothing; it takes three in a
 * row to become not ready and two good ones to become ready again, so that a hiccup takes no replica out and a dependency
 * that comes and goes does not make it flap. A look that takes too long has failed. Once it drains it is never ready again.
 */
import { metrics, type Logger } from '@souk/telemetry';
import type { Health } from './server.js';

const LOOK_EVERY_MS = 2_000;
const LOOK_WITHIN_MS = 1_500;
const FAILURES_TO_STOP = 3;
const SUCCESSES_TO_GO_ON = 2;

export const readyGauge = metrics.gauge('souk_ready');

/** What the service needs. */
export interface Dependency {
  readonly name: string;
  /** False for what the service does its work without, for a while: it is told, and decides nothing. */
  readonly isNeeded: boolean;
  /** Answers or throws; undefined where it cannot be told now, which changes nothing. */
  look(): Promise<boolean | undefined>;
}

export interface ReadinessOptions {
  readonly dependencies: readonly Dependency[];
  readonly logger: Logger;
  /** Called at the start and whenever it changes. */
  readonly onChange: (ready: boolean) => void;
  /** How often it looks (2 s). */
  readonly everyMs?: number;
}

interface State {
  isUp: boolean;
  /** Looks in a row that say otherwise. */
  against: number;
}

export class Readiness {
  private readonly states: ReadonlyMap<string, State>;
  private timer?: NodeJS.Timeout;
  private looking = false;
  private draining = false;
  private ready = true;

  /** Ready from the start: a service starts when its dependencies have answered. */
  constructor(private readonly options: ReadinessOptions) {
    this.states = new Map(options.dependencies.map(({ name }) => [name, { isUp: true, against: 0 }]));
    this.tell();
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), this.options.everyMs ?? LOOK_EVERY_MS).unref();
  }

  /** From now on it is not ready. */
  drain(): void {
    clearInterval(this.timer);
    this.draining = true;
    this.decide();
  }

  health(): Health {
    const parts = [...this.states].map(([name, { isUp }]) => [name, isUp ? 'ok' : 'away'] as const);
    return {
      ready: this.ready,
      parts: { ...Object.fromEntries(parts), ...(this.draining && { process: 'stopping' }) },
    };
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    await Promise.all(this.options.dependencies.map((dependency) => this.lookAt(dependency)));
    this.looking = false;
    this.decide();
  }

  private async lookAt({ name, look }: Dependency): Promise<void> {
    const state = this.states.get(name) as State;
    const answer = await within(LOOK_WITHIN_MS, look());
    if (answer === undefined) return;
    state.against = answer === state.isUp ? 0 : state.against + 1;
    if (state.against < (state.isUp ? FAILURES_TO_STOP : SUCCESSES_TO_GO_ON)) return;
    state.isUp = answer;
    state.against = 0;
    this.options.logger.warn({ dependency: name }, answer ? 'a dependency is back' : 'a dependency is away');
  }

  private decide(): void {
    const needed = this.options.dependencies.filter(({ isNeeded }) => isNeeded);
    const ready = !this.draining && needed.every(({ name }) => this.states.get(name)?.isUp);
    if (ready === this.ready) return;
    this.ready = ready;
    this.tell();
  }

  private tell(): void {
    readyGauge.set(this.ready ? 1 : 0);
    this.options.onChange(this.ready);
  }
}

/** What the look says; false where it fails or takes too long. */
async function within(ms: number, look: Promise<boolean | undefined>): Promise<boolean | undefined> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  const answer = look.catch(() => false as const);
  return Promise.race([answer, promise]).finally(() => clearTimeout(timer));
}
