// What runs in the background of this process, by name. Bounded by the names: loops that share one share an entry.

/** A loop of background work. */
export interface Job {
  readonly name: string;
  running: boolean;
  /** Rounds that failed since the last one that did not. */
  failures: number;
  lastRoundAt: Date | undefined;
}

const known = new Map<string, Job>();

/** The entry of that name. */
export function jobOf(name: string): Job {
  const job = known.get(name) ?? { name, running: false, failures: 0, lastRoundAt: undefined };
  known.set(name, job);
  return job;
}

/** All jobs that ever ran. */
export function jobs(): readonly Job[] {
  return [...known.values()];
}
