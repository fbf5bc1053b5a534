/**
 * How much of a limit one client has used, as far as one replica knows, and whether it may have one more. Pure: times are
 * arguments. A sliding minute: what the present minute counted, and of the minute before it the part that still lies within.
 * Guarantees, while what replicas tell each other takes less than `RECENT_MS` and leaves out at most T each: R replicas together let
 * in at most the limit and R * (1 + T) more. Each takes at most its share of what was left before anything that the others
 * may not have heard of yet.
 */
export const WINDOW_MS = 60_000;
export const RECENT_MS = 250;

export interface Usage {
  /** When the present minute began. */
  readonly start: number;
  readonly own: number;
  readonly ownBefore: number;
  readonly others: number;
  readonly othersBefore: number;
  /** Of `own`, what the other replicas were not told yet. */
  readonly untold: number;
  /** Of `own`, what they may not have heard of: since `recentStart`, and in the time of the same length before. */
  readonly recentStart: number;
  readonly recent: number;
  readonly recentBefore: number;
}

/** How this replica stands to the others. */
export interface Standing {
  /** Itself included. */
  readonly replicas: number;
  /** They cannot hear each other: each keeps to its own part of the limit. */
  readonly apart: boolean;
}

export interface Verdict {
  readonly admitted: boolean;
  /** How many more there may be now. */
  readonly remaining: number;
  /** How long until one more may be admitted; 0 where one may be now. */
  readonly waitMs: number;
}

export function unused(now: number): Usage {
  const start = now - (now % WINDOW_MS);
  const nothing = { own: 0, ownBefore: 0, others: 0, othersBefore: 0, untold: 0, recent: 0, recentBefore: 0 };
  return { start, ...nothing, recentStart: now };
}

/** The usage as it stands now. A clock that was set back changes nothing until it has caught up. */
export function at(usage: Usage, now: number): Usage {
  const minutes = Math.floor((now - usage.start) / WINDOW_MS);
  const { own, others } = usage;
  const start = usage.start + minutes * WINDOW_MS;
  const none = { own: 0, others: 0, untold: 0, start };
  const moved =
    minutes < 1
      ? usage
      : { ...usage, ...none, ownBefore: minutes === 1 ? own : 0, othersBefore: minutes === 1 ? others : 0 };
  const steps = Math.floor((now - usage.recentStart) / RECENT_MS);
  if (steps < 1) return moved;
  return { ...moved, recentStart: now, recent: 0, recentBefore: steps === 1 ? usage.recent : 0 };
}

/** @param usage as it stands at `now` */
export function judge(usage: Usage, limit: number, { replicas, apart }: Standing, now: number): Verdict {
  if (apart) {
    return slide(usage.own, usage.ownBefore, Math.max(1, Math.floor(limit / replicas)), passed(usage, now));
  }
  const whole = slide(usage.own + usage.others, usage.ownBefore + usage.othersBefore, limit, passed(usage, now));
  if (!whole.admitted || replicas === 1) return whole;
  const recent = usage.recent + usage.recentBefore;
  const mayTake = Math.ceil((whole.remaining + recent) / replicas);
  return recent < mayTake ? whole : { ...whole, admitted: false, waitMs: 2 * RECENT_MS };
}

/** The usage with one more request let in. */
export function withOne(usage: Usage): Usage {
  const { own, untold, recent } = usage;
  return { ...usage, own: own + 1, untold: untold + 1, recent: recent + 1 };
}

/** The usage with requests that another replica let in. */
export function withOthers(usage: Usage, count: number): Usage {
  return { ...usage, others: usage.others + count };
}

function passed({ start }: Usage, now: number): number {
  return Math.min(Math.max(now - start, 0), WINDOW_MS - 1);
}

function slide(count: number, before: number, limit: number, passedMs: number): Verdict {
  const used = count + before * (1 - passedMs / WINDOW_MS);
  const remaining = Math.max(0, Math.floor(limit - used));
  if (used <= limit - 1) return { admitted: true, remaining, waitMs: 0 };
  const target =
    count <= limit - 1
      ? WINDOW_MS * (1 - (limit - 1 - count) / before)
      : WINDOW_MS * (2 - Math.max(0, limit - 1) / count);
  return { admitted: false, remaining, waitMs: Math.max(1, Math.ceil(target - passedMs)) };
}
