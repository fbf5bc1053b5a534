/**
 * One life of a service's process on its machine. It may be killed at any moment, which drops everything that it has in
 * memory and under way, and what is on its way back to it; it may stand still for a while and go on as if nothing had
 * been; and its clock may be wrong. Who starts again is another one.
 */
export class Host {
  readonly name: string;
  isUp = true;
  pausedUntil = 0;
  /** How far its clock is ahead. */
  readonly skewMs: number;
  private readonly endings: (() => void)[] = [];

  constructor(name: string, skewMs = 0) {
    this.name = name;
    this.skewMs = skewMs;
  }

  kill(): void {
    this.isUp = false;
    this.endings.splice(0).forEach((end) => end());
  }

  /** What the world notices of its death: connections end, also those that it asked for in its last moment. */
  atDeath(end: () => void): void {
    if (this.isUp) this.endings.push(end);
    else end();
  }
}
