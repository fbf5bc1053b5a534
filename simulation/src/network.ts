/**
 * How long things take on their way, and what happens to them there. While faults are on, some messages are late and
 * some are lost; when they are off, everything arrives soon.
 */
import type { Host } from './host.ts';
import type { Random } from './random.ts';

/** How bad the world is, by the seed. */
export interface Weather {
  /** Share of messages that are late. */
  readonly late: number;
  /** How late they may be. */
  readonly lateMs: number;
  /** Share of calls whose request or whose answer is lost. */
  readonly lost: number;
  /** Share of calls that arrive twice. */
  readonly doubled: number;
  /** Share of statements during which the connection to the database breaks. */
  readonly cut: number;
}

const CALM: Weather = { late: 0, lateMs: 0, lost: 0, doubled: 0, cut: 0 };

export class Network {
  weather: Weather;
  /** Told when a process calls another, or the provider. */
  onCall: ((host: Host) => void) | undefined;
  private readonly random: Random;

  constructor(random: Random, weather: Weather) {
    this.random = random;
    this.weather = weather;
  }

  calmDown(): void {
    this.weather = CALM;
  }

  delay(): number {
    const { late, lateMs } = this.weather;
    return this.random.chance(late) ? this.random.between(1, lateMs) : this.random.between(0.1, 1);
  }

  /** What becomes of a call or a message. */
  fate(): 'arrives' | 'request lost' | 'answer lost' | 'doubled' {
    const { lost, doubled } = this.weather;
    const draw = this.random.next();
    if (draw < lost) return draw < lost / 2 ? 'request lost' : 'answer lost';
    return draw < lost + doubled ? 'doubled' : 'arrives';
  }

  /** One of several to send to. */
  choose<T>(from: readonly T[]): T | undefined {
    return from.length === 0 ? undefined : this.random.pick(from);
  }

  cuts(): 'before' | 'after' | undefined {
    if (!this.random.chance(this.weather.cut)) return undefined;
    return this.random.chance(0.5) ? 'before' : 'after';
  }
}
