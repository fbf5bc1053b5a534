import fc from 'fast-check';
import { at, judge, RECENT_MS, unused, WINDOW_MS, withOne, withOthers, type Standing, type Usage } from './usage.js';

const START = 1_000 * WINDOW_MS;
const ALONE: Standing = { replicas: 1, apart: false };

describe('one replica alone', () => {
  it('lets in the limit and no more, and again a minute later', () => {
    let usage = unused(START);
    for (let count = 0; count < 10; count++) {
      expect(judge(usage, 10, ALONE, START)).toEqual({ admitted: true, remaining: 10 - count, waitMs: 0 });
      usage = withOne(usage);
    }
    expect(judge(usage, 10, ALONE, START).admitted).toBe(false);
    expect(judge(at(usage, START + 2 * WINDOW_MS), 10, ALONE, START + 2 * WINDOW_MS).remaining).toBe(10);
  });

  it('never lets in more than the limit, counted over a sliding minute, and at its word lets in after the wait', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), gaps, (limit, waits) => {
        let [now, usage] = [START, unused(START)];
        const perMinute = new Map<number, number>();
        for (const wait of waits) {
          now += wait;
          usage = at(usage, now);
          const { admitted, waitMs } = judge(usage, limit, ALONE, now);
          expect(admitted).toBe(waitMs === 0);
          if (!admitted) {
            const later = now + waitMs;
            expect(judge(at(usage, later), limit, ALONE, later).admitted).toBe(true);
            if (waitMs > 2) expect(judge(at(usage, later - 2), limit, ALONE, later - 2).admitted).toBe(false);
            continue;
          }
          usage = withOne(usage);
          const minute = Math.floor(now / WINDOW_MS);
          perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
        }
        for (const [minute, count] of perMinute) {
          expect(count).toBeLessThanOrEqual(limit);
          // At the end of a minute nothing of the one before weighs any more; at its start all of it does.
          expect(count + (perMinute.get(minute - 1) ?? 0)).toBeLessThanOrEqual(2 * limit);
        }
      }),
      { endOnFailure: true },
    );
  });

  it('is not confused by a clock that was set back', () => {
    const used = withOne(withOne(unused(START + 30_000)));
    expect(judge(at(used, START - 30_000), 2, ALONE, START - 30_000).admitted).toBe(false);
  });
});

/** Replicas that tell each other what they let in, each at its own times, and hear it late. */
class Replicas {
  readonly usages: Usage[];
  admitted = 0;
  private untold: number[];
  private onTheWay: { at: number; to: number; count: number }[] = [];

  constructor(
    private readonly count: number,
    private readonly limit: number,
  ) {
    this.usages = Array.from({ length: count }, () => unused(START));
    this.untold = this.usages.map(() => 0);
  }

  request(replica: number, now: number): void {
    this.arrive(now);
    const usage = at(this.usages[replica]!, now);
    if (!judge(usage, this.limit, { replicas: this.count, apart: false }, now).admitted) return;
    this.usages[replica] = withOne(usage);
    this.untold[replica]! += 1;
    this.admitted += 1;
  }

  tell(replica: number, now: number, delay: number): void {
    for (let to = 0; to < this.count; to++) {
      if (to !== replica) this.onTheWay.push({ at: now + delay, to, count: this.untold[replica]! });
    }
    this.untold[replica] = 0;
  }

  private arrive(now: number): void {
    for (const { to, count } of this.onTheWay.filter((message) => message.at <= now)) {
      this.usages[to] = withOthers(at(this.usages[to]!, now), count);
    }
    this.onTheWay = this.onTheWay.filter((message) => message.at > now);
  }
}

describe('replicas that share', () => {
  const arbitrary = fc.record({
    replicas: fc.integer({ min: 2, max: 5 }),
    limit: fc.integer({ min: 1, max: 200 }),
    seed: fc.array(fc.nat(1_000), { minLength: 50, maxLength: 50 }),
    perStep: fc.integer({ min: 1, max: 20 }),
    delay: fc.integer({ min: 0, max: RECENT_MS - 110 }),
  });

  it('together let in at most the limit and one more each, however the requests fall on them', () => {
    fc.assert(
      fc.property(arbitrary, ({ replicas, limit, seed, perStep, delay }) => {
        const all = new Replicas(replicas, limit);
        for (let step = 0; step < 500; step++) {
          const now = START + step * 10;
          for (let each = 0; each < perStep; each++)
            all.request(seed[(step + each * 7) % seed.length]! % replicas, now);
          // Each tells every 100 ms, at times of its own.
          for (let replica = 0; replica < replicas; replica++) {
            if ((step + replica * 3) % 10 === 0) all.tell(replica, now, delay);
          }
        }
        expect(all.admitted).toBeLessThanOrEqual(limit + replicas);
        if (500 * perStep > 20 * limit) expect(all.admitted).toBeGreaterThanOrEqual(Math.floor(limit * 0.95));
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  it('keep to their parts of the limit while they cannot hear each other', () => {
    let usage = withOthers(unused(START), 4);
    const standing: Standing = { replicas: 3, apart: true };
    for (let count = 0; count < 3; count++) {
      expect(judge(usage, 9, standing, START).admitted).toBe(true);
      usage = withOne(usage);
    }
    expect(judge(usage, 9, standing, START).admitted).toBe(false);
    expect(judge(unused(START), 1, standing, START).admitted).toBe(true);
  });
});
